//! The module-usage function: usage over HTTP and SQS, statistics, scheduled maintenance.
//!
//! event -> checked -> judged -> one idempotent call of the database. The HTTP side is deployed with the request login, queue and
//! maintenance with the worker's.

mod maintenance;
mod queue;
mod routes;
pub mod settings;
mod store;

use std::sync::Arc;

use axum::Router;
use mgmt_common::db::Database;
use mgmt_common::web::serve::{QueueEvent, ScheduledEvent, Service, with_fallbacks};
use settings::Settings;

/// Room for 1,000 events in one request; API Gateway itself stops at 6 MB, and at 4.5 MB of what it encodes as base64.
const BODY_LIMIT_BYTES: usize = 5 * 1024 * 1024;

/// What every handler shares. Nothing in it connects before it is used.
pub struct State {
    database: Database,
    settings: Settings,
}

impl State {
    pub fn new(settings: Settings) -> Self {
        Self { database: Database::new(settings.database.clone()), settings }
    }
}

/// The HTTP routes of this function.
pub fn router(state: Arc<State>) -> Router {
    with_fallbacks(routes::router().with_state(state))
}

/// The OpenAPI document of the same routes.
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes::document()
}

/// HTTP requests, or the queue and the daily maintenance where this is deployed with the worker's login.
pub fn service(settings: Settings) -> Service {
    let claim_names = settings.claim_names.clone();
    let state = Arc::new(State::new(settings));
    let (keeping, counting) = (Arc::clone(&state), Arc::clone(&state));
    let scheduled = move |event: ScheduledEvent| {
        let state = Arc::clone(&keeping);
        Box::pin(async move { maintenance::run(&state, event.deadline).await }) as _
    };
    let queue = move |event: QueueEvent| {
        let state = Arc::clone(&counting);
        Box::pin(async move { queue::count(&state, event).await }) as _
    };
    Service {
        router: Some(router(state)),
        claim_names,
        scheduled: Some(Arc::new(scheduled)),
        queue: Some(Arc::new(queue)),
        body_limit_bytes: BODY_LIMIT_BYTES,
    }
}
