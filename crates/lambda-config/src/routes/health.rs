//! Liveness, for load balancers and people without an identity.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;

/// Which dependency answers; no detail about why one does not.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok` or `degraded`.
    status: &'static str,
    dependencies: Dependencies,
}

#[derive(Debug, Serialize, ToSchema)]
struct Dependencies {
    /// `ok` or `down`.
    database: &'static str,
}

/// Whether this function is alive and its database answers.
#[utoipa::path(get, path = "/platform/health", security(()),
    responses((status = 200, body = Health), (status = 503, body = Health)))]
pub(super) async fn health(State(state): Shared) -> (StatusCode, Answer<Health>) {
    let up = state.database.answers().await;
    let (code, status) = if up { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "degraded") };
    (code, Answer(Health { status, dependencies: Dependencies { database: if up { "ok" } else { "down" } } }))
}
