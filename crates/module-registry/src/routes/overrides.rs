//! What an organisation has otherwise than the platform.
#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use mgmt_common::web::body::Json;
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::etag::IfMatch;
use mgmt_common::web::page::{Rows, link};
use mgmt_common::web::query::{Sent, query_of};
use mgmt_common::web::signed_in::SignedIn;
use module_mgmt_protocol::caller::{Caller, is_id};
use module_mgmt_protocol::decision::Reason;
use module_mgmt_protocol::state::ModuleType;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::{Shared, module_name_or_404, with_version};
use crate::changes::overrides as changes;
use crate::definition::override_change::{OverrideChange, ShownOverride};
use crate::store::overrides::{self as store, OrgModuleRow};

/// A module as it is for one organisation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrgModule {
    name: String,
    display_name: String,
    description: Option<String>,
    #[serde(rename = "type")]
    module_type: ModuleType,
    version: String,
    /// Whether it is on for the organisation, before anybody's permissions.
    enabled: bool,
    /// Why it is off; null when it is on.
    reason: Option<Reason>,
    /// The platform's config with the override's merged over it (RFC 7396), if that fits.
    #[schema(value_type = Value)]
    config: Box<RawValue>,
    /// Null where the organisation has nothing of its own.
    #[serde(rename = "override")]
    overridden: Option<ShownOverride>,
}

impl From<OrgModuleRow> for OrgModule {
    fn from(row: OrgModuleRow) -> Self {
        Self {
            name: row.module_name,
            display_name: row.display_name,
            description: row.description,
            module_type: row.module_type,
            version: row.version,
            enabled: row.decision.is_on(),
            reason: row.decision.reason(),
            config: row.config,
            overridden: row.overridden.map(|own| ShownOverride { own, fits: row.misfit.is_none(), misfit: row.misfit }),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OrgModulesQuery {
    /// 1 to 1,000, which is the default; fewer come where more would not fit into an answer.
    limit: Option<u16>,
    /// As the `Link` of the page before has it.
    cursor: Option<String>,
}

const ROWS: Rows = Rows { default: 1_000, most: 1_000 };

/// Every module that the caller may see, as it is for the organisation; sorted by name. Where there are more, a `Link` header names the
/// next page.
#[utoipa::path(get, path = "/platform/orgs/{orgId}/modules", params(("orgId" = String, Path), OrgModulesQuery),
    responses((status = 200, body = Vec<OrgModule>), (status = 403), (status = 404)))]
pub(super) async fn list_org_modules(
    SignedIn(caller): SignedIn,
    State(state): Shared,
    Path(org_id): Path<String>,
    query: Sent<OrgModulesQuery>,
    asked: Uri,
) -> Result<(HeaderMap, Answer<Vec<OrgModule>>)> {
    let (caller, query) = (acting_for(caller, &org_id)?, query_of(query)?);
    let most = ROWS.asked(query.limit)?;
    let page = store::list_org_modules(&state.database, &caller, query.cursor.as_deref(), most).await?;
    let link = link(&page, &asked, "cursor", |last| last.module_name.clone());
    Ok((link, Answer(page.map(OrgModule::from).rows)))
}

/// One module as it is for the organisation. Where there is an override, the ETag is its row version.
#[utoipa::path(get, path = "/platform/orgs/{orgId}/modules/{name}", params(("orgId" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = OrgModule), (status = 403), (status = 404)))]
pub(super) async fn get_org_module(
    SignedIn(caller): SignedIn,
    State(state): Shared,
    Path((org_id, name)): Path<(String, String)>,
) -> Result<Response> {
    let caller = acting_for(caller, &org_id)?;
    let name = module_name_or_404(&name)?;
    let row = store::get_org_module(&state.database, &caller, &name).await?.ok_or(Error::NotFound)?;
    Ok(shown(StatusCode::OK, row))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OverrideQuery {
    /// Needed to switch a core module off.
    force: Option<bool>,
}

/// Makes or changes the override. A module can be off here where the platform has it on, and never the other way round.
#[utoipa::path(put, path = "/platform/orgs/{orgId}/modules/{name}", request_body = OverrideChange,
    params(("orgId" = String, Path), ("name" = String, Path), OverrideQuery),
    responses((status = 200, body = OrgModule), (status = 201, body = OrgModule), (status = 403), (status = 404), (status = 409),
        (status = 412), (status = 422), (status = 429)))]
pub(super) async fn put_org_module(
    SignedIn(caller): SignedIn,
    State(state): Shared,
    Path((org_id, name)): Path<(String, String)>,
    query: Sent<OverrideQuery>,
    headers: HeaderMap,
    Json(body): Json<OverrideChange>,
) -> Result<Response> {
    let caller = acting_for(caller, &org_id)?;
    let (name, force) = (module_name_or_404(&name)?, query_of(query)?.force.unwrap_or(false));
    let if_match = IfMatch::read(&headers)?;
    let (is_new, row) = changes::put(&state, &caller, &name, &body, force, &if_match).await?;
    Ok(shown(if is_new { StatusCode::CREATED } else { StatusCode::OK }, row))
}

/// Removes the override: the organisation follows the platform again.
#[utoipa::path(delete, path = "/platform/orgs/{orgId}/modules/{name}",
    params(("orgId" = String, Path), ("name" = String, Path)),
    responses((status = 204), (status = 403), (status = 404), (status = 412), (status = 429)))]
pub(super) async fn delete_org_module(
    SignedIn(caller): SignedIn,
    State(state): Shared,
    Path((org_id, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode> {
    let caller = acting_for(caller, &org_id)?;
    let name = module_name_or_404(&name)?;
    changes::remove(&state, &caller, &name, &IfMatch::read(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The caller with the organisation of the path. Platform admins act for any; others learn nothing about an organisation that is
/// not theirs, and members of theirs only that they may not.
fn acting_for(mut caller: Caller, org_id: &str) -> Result<Caller> {
    if caller.is_platform_admin {
        caller.org_id = org_of_path(org_id)?;
        return Ok(caller);
    }
    if caller.org_id != org_id {
        return Err(Error::NotFound);
    }
    if caller.is_org_admin { Ok(caller) } else { Err(Error::Forbidden) }
}

/// An organisation's id as a platform admin names it; one that no caller could have does not exist.
pub(super) fn org_of_path(org_id: &str) -> Result<String> {
    if is_id(org_id) { Ok(org_id.to_owned()) } else { Err(Error::NotFound) }
}

fn shown(status: StatusCode, row: OrgModuleRow) -> Response {
    let version = row.overridden.as_ref().map(|row| row.row_version);
    let response = (status, Answer(OrgModule::from(row))).into_response();
    match version {
        Some(version) => with_version(response, version),
        None => response,
    }
}
