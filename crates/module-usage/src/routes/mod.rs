//! The routes: extract, one call, map. The list below is also the OpenAPI document.

mod csv;
mod export;
mod filter;
mod ingest;
mod page_cursor;
mod stats;

use std::sync::Arc;

use crate::State;

type Shared = axum::extract::State<Arc<State>>;

mgmt_common::route_table!(
    Arc<State>;
    ingest::count_events,
    ingest::count_event,
    stats::read_usage,
    stats::read_module_usage,
);
