//! Enabling and disabling modules.
#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

use axum::Json as Answer;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use mgmt_common::web::body;
use mgmt_common::web::error::Result;
use mgmt_common::web::etag::IfMatch;
use mgmt_common::web::query::{Sent, query_of};
use mgmt_common::web::signed_in::PlatformAdmin;
use module_mgmt_protocol::caller::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Shared, module_name_or_404, with_version};
use crate::changes::switch::{Switch, switch};
use crate::definition::module::RegisteredModule;
use crate::impact::{Action, Impact};

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct EnableQuery {
    /// Also enables what the module needs.
    cascade: Option<bool>,
    /// Tells the impact and changes nothing.
    #[serde(alias = "dry_run")]
    dry_run: Option<bool>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct DisableQuery {
    /// Also disables the modules that need it.
    cascade: Option<bool>,
    /// Needed where core modules would be disabled.
    force: Option<bool>,
    /// Tells the impact and changes nothing.
    #[serde(alias = "dry_run")]
    dry_run: Option<bool>,
}

/// May be sent along; an empty body is none.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct SwitchBody {
    /// Of a dry run: the call does what that said, or nothing.
    #[serde(alias = "plan_hash")]
    plan_hash: Option<String>,
}

/// The module as it is now, and what the call did or would do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SwitchAnswer {
    module: RegisteredModule,
    impact: Impact,
}

/// Enables a module. What it needs must be enabled, installed and of a version that will do, or is enabled first with `cascade`.
#[utoipa::path(post, path = "/platform/modules/{name}/enable", params(("name" = String, Path), EnableQuery),
    request_body = Option<SwitchBody>,
    responses((status = 200, body = SwitchAnswer), (status = 404), (status = 409), (status = 412)))]
pub(super) async fn enable_module(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    Path(name): Path<String>,
    query: Sent<EnableQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response> {
    let query = query_of(query)?;
    let wanted = Switch {
        action: Action::Enable,
        cascade: query.cascade.unwrap_or(false),
        force: false,
        dry_run: query.dry_run.unwrap_or(false),
        plan_hash: read(&headers, &body)?.plan_hash,
    };
    run(&state, &caller, &name, &wanted, &headers).await
}

/// Disables a module. Refused while enabled modules need it, unless `cascade` disables them too; core modules take `force`.
#[utoipa::path(post, path = "/platform/modules/{name}/disable", params(("name" = String, Path), DisableQuery),
    request_body = Option<SwitchBody>,
    responses((status = 200, body = SwitchAnswer), (status = 404), (status = 409), (status = 412)))]
pub(super) async fn disable_module(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    Path(name): Path<String>,
    query: Sent<DisableQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response> {
    let query = query_of(query)?;
    let wanted = Switch {
        action: Action::Disable,
        cascade: query.cascade.unwrap_or(false),
        force: query.force.unwrap_or(false),
        dry_run: query.dry_run.unwrap_or(false),
        plan_hash: read(&headers, &body)?.plan_hash,
    };
    run(&state, &caller, &name, &wanted, &headers).await
}

async fn run(
    state: &crate::State,
    caller: &Caller,
    name: &str,
    wanted: &Switch,
    headers: &HeaderMap,
) -> Result<Response> {
    let if_match = IfMatch::read(headers)?;
    let (row, impact) = switch(&state.database, caller, &module_name_or_404(name)?, wanted, &if_match).await?;
    let version = row.row_version;
    Ok(with_version(Answer(SwitchAnswer { module: row, impact }).into_response(), version))
}

fn read(headers: &HeaderMap, body: &Bytes) -> Result<SwitchBody> {
    if body.is_empty() { Ok(SwitchBody::default()) } else { body::read(headers, body) }
}
