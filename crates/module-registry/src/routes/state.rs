//! The state that gates follow.
#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

use axum::Json as Answer;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use mgmt_common::module_state::{StateRead, read_state};
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::etag;
use mgmt_common::web::query::{Sent, query_of};
use mgmt_common::web::signed_in::SignedIn;
use module_mgmt_protocol::state::RegistryState;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Shared;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StateQuery {
    /// Platform admins may ask about another organisation; their own by default.
    #[serde(alias = "org_id")]
    org_id: Option<String>,
}

/// Whether each module is on for the caller's organisation, and why not. What a caller's own permissions change is left to whoever
/// knows the caller: the answer is the same for the whole organisation.
#[utoipa::path(get, path = "/platform/modules/state", params(StateQuery),
    responses((status = 200, body = RegistryState), (status = 304), (status = 404)))]
pub(super) async fn module_state(
    SignedIn(mut caller): SignedIn,
    State(state): Shared,
    query: Sent<StateQuery>,
    headers: HeaderMap,
) -> Result<Response> {
    if let Some(org_id) = query_of(query)?.org_id.filter(|org_id| *org_id != caller.org_id) {
        if !caller.is_platform_admin {
            return Err(Error::NotFound);
        }
        caller.org_id = super::overrides::org_of_path(&org_id)?;
    }
    Ok(match read_state(&state.database, &caller, &etag::known(&headers)).await? {
        StateRead::Unchanged(version) => etag::cacheable(&headers, &format!("\"{version}\""), ()),
        StateRead::Changed(answer) => {
            let tag = format!("\"{}\"", answer.version);
            etag::cacheable(&headers, &tag, Answer(answer).into_response())
        }
    })
}
