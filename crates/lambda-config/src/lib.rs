//! The lambda-config function: platform configs, schedule preview, rule sync, function list, scheduled reconcile.

mod actor;
mod adoption;
mod config_key;
mod routes;
pub mod settings;
mod store;
mod sync;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use mgmt_common::aws::CallLimits;
use mgmt_common::db::Database;
use mgmt_common::eventbridge::{EventBridgeManager, Pacing};
use mgmt_common::functions::Functions;
use mgmt_common::web::serve::{ScheduledEvent, Service, with_fallbacks};
use module_mgmt_protocol::clock::{Clock, SystemClock};
use settings::Settings;

/// What every handler shares. Nothing in it connects before it is used.
pub struct State {
    database: Database,
    manager: EventBridgeManager,
    functions: Functions,
    clock: Arc<dyn Clock>,
    settings: Settings,
}

impl State {
    pub fn new(settings: Settings) -> Self {
        Self::with_clock(settings, Arc::new(SystemClock))
    }

    /// With another clock, by which rules are compiled and ticks are missed; for tests.
    pub fn with_clock(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let pacing = Pacing { writes_per_second: settings.rule_writes_per_second, ..Pacing::default() };
        // Lists must be answered or refused well before the gateway gives up after 30 seconds.
        let limits = CallLimits {
            attempt_timeout: Duration::from_secs(4),
            operation_timeout: Duration::from_secs(9),
            initial_backoff: Duration::from_millis(200),
            ..CallLimits::default()
        };
        Self {
            database: Database::new(settings.database.clone()),
            manager: EventBridgeManager::new(settings.aws.clone(), limits.clone(), pacing),
            functions: Functions::new(settings.aws.clone(), limits),
            clock,
            settings,
        }
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

/// HTTP requests, and the hourly reconcile where this is deployed with the worker's login.
pub fn service(settings: Settings) -> Service {
    let claim_names = settings.claim_names.clone();
    let state = Arc::new(State::new(settings));
    let reconciling = Arc::clone(&state);
    let scheduled = move |event: ScheduledEvent| {
        let state = Arc::clone(&reconciling);
        Box::pin(async move { sync::reconcile(&state, event.deadline).await }) as _
    };
    Service { router: Some(router(state)), claim_names, scheduled: Some(Arc::new(scheduled)), ..Service::default() }
}
