//! The routes: extract, one call, map. The list below is also the OpenAPI document.

pub(crate) mod configs;
mod functions;
mod health;
mod preview;
mod runs;
mod sync;

use std::sync::Arc;

use axum::http::HeaderMap;

use crate::State;

type Shared = axum::extract::State<Arc<State>>;

mgmt_common::route_table!(
    Arc<State>;
    configs::list_configs,
    configs::get_config,
    configs::put_config,
    configs::delete_config,
    sync::sync_rules,
    preview::preview_schedule,
    functions::list_functions,
    runs::list_runs,
    health::health,
);

/// For answers that may change without a new row version.
fn no_store() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(axum::http::header::CACHE_CONTROL, axum::http::HeaderValue::from_static("no-store"));
    headers
}
