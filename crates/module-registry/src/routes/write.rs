//! Registering, updating and deleting modules.
#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use mgmt_common::web::body::Json;
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::etag::IfMatch;
use mgmt_common::web::query::{Sent, query_of};
use mgmt_common::web::signed_in::PlatformAdmin;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Shared, module_name_or_404, with_version};
use crate::changes::define;
use crate::changes::overrides::unfit;
use crate::definition::module::RegisteredModule;
use crate::definition::module_change::ModuleChange;
use crate::definition::override_change::UnfitOverrides;

/// Registers a module; disabled, unless `isEnabled` is true and everything it needs is on.
#[utoipa::path(post, path = "/platform/modules", request_body = ModuleChange,
    responses((status = 201, body = RegisteredModule), (status = 409), (status = 422)))]
pub(super) async fn register_module(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    Json(body): Json<ModuleChange>,
) -> Result<Response> {
    let row = define::register(&state, &caller, &body).await?;
    let (version, location) = (row.row_version, format!("/platform/modules/{}", row.name));
    let mut response = (StatusCode::CREATED, Answer(row)).into_response();
    if let Ok(value) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    Ok(with_version(response, version))
}

/// A module as a change has left it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChangedModule {
    #[serde(flatten)]
    module: RegisteredModule,
    /// Of a change of the config or its schema: which organisations' own configs are not applied from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfit_overrides: Option<UnfitOverrides>,
}

/// Updates the fields that are sent. `isEnabled` cannot be changed here.
#[utoipa::path(put, path = "/platform/modules/{name}", request_body = ModuleChange,
    params(("name" = String, Path), ("If-Match" = String, Header, description = "The ETag of what was read, or *")),
    responses((status = 200, body = ChangedModule), (status = 404), (status = 409), (status = 412), (status = 422), (status = 428)))]
pub(super) async fn put_module(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(body): Json<ModuleChange>,
) -> Result<Response> {
    let name = module_name_or_404(&name)?;
    let if_match = IfMatch::read(&headers)?;
    if if_match == IfMatch::Absent {
        return Err(Error::PreconditionRequired);
    }
    let module = define::change(&state, &caller, &name, &body, &if_match).await?;
    let unfit_overrides = match body.concerns_overrides() {
        true => Some(unfit(&state.database, &caller, &module).await?),
        false => None,
    };
    let version = module.row_version;
    Ok(with_version(Answer(ChangedModule { module, unfit_overrides }).into_response(), version))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeleteQuery {
    /// Needed for core modules.
    force: Option<bool>,
}

/// Deletes a module and the overrides of it; refused while other modules name it. Its name may be registered again.
#[utoipa::path(delete, path = "/platform/modules/{name}", params(("name" = String, Path), DeleteQuery),
    responses((status = 204), (status = 404), (status = 409), (status = 412)))]
pub(super) async fn delete_module(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    Path(name): Path<String>,
    query: Sent<DeleteQuery>,
    headers: HeaderMap,
) -> Result<StatusCode> {
    let (name, query) = (module_name_or_404(&name)?, query_of(query)?);
    let if_match = IfMatch::read(&headers)?;
    define::delete(&state.database, &caller, &name, query.force.unwrap_or(false), &if_match).await?;
    Ok(StatusCode::NO_CONTENT)
}
