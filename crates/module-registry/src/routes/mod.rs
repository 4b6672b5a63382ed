//! The routes: extract, one call, map. The list below is also the OpenAPI document.

mod history;
mod list;
mod module;
mod navigation;
mod overrides;
mod state;
mod switch;
mod write;

use std::sync::Arc;

use axum::http::{HeaderValue, header};
use axum::response::Response;
use mgmt_common::modules::name::ModuleName;
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::etag;

use crate::State;

type Shared = axum::extract::State<Arc<State>>;

mgmt_common::route_table!(
    Arc<State>;
    list::list_modules,
    list::get_module,
    state::module_state,
    write::register_module,
    write::put_module,
    write::delete_module,
    switch::enable_module,
    switch::disable_module,
    history::module_history,
    overrides::list_org_modules,
    overrides::get_org_module,
    overrides::put_org_module,
    overrides::delete_org_module,
    navigation::navigation,
);

/// A name in a path. One that no module can have is one that does not exist.
fn module_name_or_404(name: &str) -> Result<ModuleName> {
    ModuleName::parse(name).map_err(|_| Error::NotFound)
}

fn with_version(mut response: Response, version: i64) -> Response {
    if let Ok(value) = HeaderValue::from_str(&etag::of(version)) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}
