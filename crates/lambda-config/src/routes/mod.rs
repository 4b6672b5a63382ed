//! The routes: extract, one call, map. The list below is also the OpenAPI document.

pub(crate) mod configs;
mod functions;
mod health;
mod preview;
mod runs;
mod sync;

use std::sync::Arc;

use axum::http::HeaderMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::State;

type Shared = axum::extract::State<Arc<State>>;

pub(crate) fn all() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(configs::list_configs))
        .routes(routes!(configs::get_config, configs::put_config))
        .routes(routes!(sync::sync_rules))
        .routes(routes!(preview::preview_schedule))
        .routes(routes!(functions::list_functions))
        .routes(routes!(runs::list_runs))
        .routes(routes!(health::health))
}

/// Without a tag every document of a list would have to be compared; a hash of the body is not worth a dependency.
fn no_store() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(axum::http::header::CACHE_CONTROL, axum::http::HeaderValue::from_static("no-store"));
    headers
}
