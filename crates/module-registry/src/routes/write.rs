//! Registering, updating and deleting modules.
#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use mgmt_common::caller::PlatformAdmin;
use mgmt_common::error::{Error, Result};
use mgmt_common::etag::IfMatch;
use mgmt_common::json::Json;
use serde::Deserialize;
use utoipa::IntoParams;

use super::body::ModuleBody;
use super::module::Module;
use super::{Sent, Shared, named, sent, with_version};
use crate::changes::define;

/// Registers a module; disabled, unless `isEnabled` is true and everything it needs is on.
#[utoipa::path(post, path = "/platform/modules", request_body = ModuleBody,
    responses((status = 201, body = Module), (status = 409), (status = 422)))]
pub(super) async fn register_module(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    Json(body): Json<ModuleBody>,
) -> Result<Response> {
    let row = define::register(&state.database, &caller, &body).await?;
    let (version, location) = (row.row_version, format!("/platform/modules/{}", row.module_name));
    let mut response = (StatusCode::CREATED, Answer(Module::from(row))).into_response();
    if let Ok(value) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    Ok(with_version(response, version))
}

/// Updates the fields that are sent. `isEnabled` cannot be changed here.
#[utoipa::path(put, path = "/platform/modules/{name}", request_body = ModuleBody,
    params(("name" = String, Path), ("If-Match" = String, Header, description = "The ETag of what was read, or *")),
    responses((status = 200, body = Module), (status = 404), (status = 409), (status = 412), (status = 422), (status = 428)))]
pub(super) async fn put_module(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(body): Json<ModuleBody>,
) -> Result<Response> {
    let name = named(&name)?;
    let if_match = IfMatch::read(&headers)?;
    if if_match == IfMatch::Absent {
        return Err(Error::PreconditionRequired);
    }
    let row = define::change(&state.database, &caller, &name, &body, &if_match).await?;
    let version = row.row_version;
    Ok(with_version(Answer(Module::from(row)).into_response(), version))
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
    let (name, query) = (named(&name)?, sent(query)?);
    let if_match = IfMatch::read(&headers)?;
    define::delete(&state.database, &caller, &name, query.force.unwrap_or(false), &if_match).await?;
    Ok(StatusCode::NO_CONTENT)
}
