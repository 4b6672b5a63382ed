//! Modules, as a list and one by one.
#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse as _, Response};
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::etag;
use mgmt_common::web::page::{Rows, cut, link};
use mgmt_common::web::query::{Sent, query_of};
use mgmt_common::web::signed_in::SignedIn;
use module_mgmt_protocol::state::ModuleType;
use serde::Deserialize;
use utoipa::IntoParams;

use super::module::{PublicModule, ShownModule};
use super::{Shared, module_name_or_404};
use crate::store::modules::{self as store, Filter};
use crate::store::visible::visible_modules;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only modules of this type.
    #[serde(rename = "type")]
    #[param(inline)]
    module_type: Option<ModuleType>,
    /// Only enabled or only disabled modules.
    enabled: Option<bool>,
    /// Platform admins: false leaves disabled modules out; true by default. Others never see them.
    #[serde(alias = "include_disabled")]
    include_disabled: Option<bool>,
    /// 1 to 1,000, which is the default; fewer come where more would not fit into an answer.
    limit: Option<u16>,
    /// As the `Link` of the page before has it.
    cursor: Option<String>,
}

const ROWS: Rows = Rows { default: 1_000, most: 1_000 };

/// Sorted by name. Where there are more, a `Link` header names the next page. Platform admins see every module whole; everybody else sees the public part of those that are on for them.
#[utoipa::path(get, path = "/platform/modules", params(ListQuery),
    responses((status = 200, body = Vec<ShownModule>), (status = 304)))]
pub(super) async fn list_modules(
    SignedIn(caller): SignedIn,
    State(state): Shared,
    query: Sent<ListQuery>,
    headers: HeaderMap,
    asked: Uri,
) -> Result<Response> {
    let query = query_of(query)?;
    let most = ROWS.asked(query.limit)?;
    if caller.is_platform_admin {
        let only_enabled = (query.include_disabled == Some(false)).then_some(true);
        // Only the enabled ones, and of those the disabled ones: none.
        if only_enabled.is_some() && query.enabled == Some(false) {
            return etag::cacheable_json(&headers, &Vec::<ShownModule>::new());
        }
        let is_enabled = query.enabled.or(only_enabled);
        let filter = Filter { module_type: query.module_type, is_enabled, after: query.cursor };
        let page = store::list_modules(&state.database, &caller, &filter, most).await?;
        let link = link(&page, &asked, "cursor", |last| last.name.clone());
        return Ok((link, etag::cacheable_json(&headers, &page.rows)?).into_response());
    }
    let rows = visible_modules(&state.database, &caller).await?;
    let wanted = rows
        .into_iter()
        .filter(|row| query.module_type.is_none_or(|wanted| wanted == row.module_type) && query.enabled != Some(false));
    let page = cut(wanted.map(PublicModule::from), PublicModule::name, query.cursor.as_deref(), most)?;
    Ok((page.link(&asked), etag::cacheable_json(&headers, &page.items)?).into_response())
}

/// One module; for platform admins its ETag is the row version.
#[utoipa::path(get, path = "/platform/modules/{name}", params(("name" = String, Path)),
    responses((status = 200, body = ShownModule), (status = 304), (status = 404)))]
pub(super) async fn get_module(
    SignedIn(caller): SignedIn,
    State(state): Shared,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let name = module_name_or_404(&name)?;
    if caller.is_platform_admin {
        let row = store::get_module(&state.database, &caller, &name).await?.ok_or(Error::NotFound)?;
        let tag = etag::of(row.row_version);
        return Ok(etag::cacheable(&headers, &tag, Answer(ShownModule::Whole(Box::new(row)))));
    }
    // Whether it is on for the caller depends on what it needs, so all that are visible are read.
    let rows = visible_modules(&state.database, &caller).await?;
    let row = rows.into_iter().find(|row| row.module_name == name.as_str()).ok_or(Error::NotFound)?;
    // Another tag than the admin's: a browser that changes its user must not show one's answer to the other.
    etag::cacheable_json(&headers, &ShownModule::Public(Box::new(PublicModule::from(row))))
}
