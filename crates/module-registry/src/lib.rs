//! The module-registry function: modules, their dependencies, overrides, history, navigation, and the state that gates follow.

mod changes;
mod definition;
mod impact;
mod routes;
pub mod settings;
mod store;

use std::sync::Arc;

use axum::Router;
use mgmt_common::db::Database;
use mgmt_common::warming::boundary::Boundary;
use mgmt_common::web::serve::{Service, with_fallbacks};
use settings::Settings;

/// What every handler shares. Nothing in it connects before it is used.
pub struct State {
    database: Database,
    /// Which functions modules may want warm.
    boundary: Boundary,
    overrides_per_minute: i32,
}

/// The HTTP routes of this function.
pub fn router(state: Arc<State>) -> Router {
    with_fallbacks(routes::router().with_state(state))
}

/// The OpenAPI document of the same routes.
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes::document()
}

/// HTTP requests only: nothing here runs in the background.
pub fn service(settings: Settings) -> Service {
    let state = State {
        database: Database::new(settings.database),
        boundary: settings.boundary,
        overrides_per_minute: settings.overrides_per_minute,
    };
    Service {
        router: Some(router(Arc::new(state))),
        claim_names: settings.claim_names,
        scheduled: None,
        ..Service::default()
    }
}

/// The statements behind navigation and the member's list, and behind the admin's list: scripts/bench holds them against pgbench.
pub fn busiest_statements() -> [(&'static str, &'static str); 2] {
    [("navigation", store::visible::VISIBLE_MODULES), ("list", store::modules::LIST_MODULES)]
}
