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
    status: HealthStatus,
    dependencies: Dependencies,
}

#[derive(Debug, Serialize, ToSchema)]
struct Dependencies {
    database: DependencyStatus,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum HealthStatus {
    Ok,
    Degraded,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum DependencyStatus {
    Ok,
    Down,
}

/// Whether this function is alive and its database answers.
#[utoipa::path(get, path = "/platform/health", security(()),
    responses((status = 200, body = Health), (status = 503, body = Health)))]
pub(super) async fn health(State(state): Shared) -> (StatusCode, Answer<Health>) {
    let up = state.database.answers().await;
    let (code, status, database) = match up {
        true => (StatusCode::OK, HealthStatus::Ok, DependencyStatus::Ok),
        false => (StatusCode::SERVICE_UNAVAILABLE, HealthStatus::Degraded, DependencyStatus::Down),
    };
    (code, Answer(Health { status, dependencies: Dependencies { database } }))
}
