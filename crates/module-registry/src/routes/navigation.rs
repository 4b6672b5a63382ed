//! The caller's menu.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use mgmt_common::web::error::Result;
use mgmt_common::web::etag;
use mgmt_common::web::signed_in::SignedIn;
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use crate::definition::navigation::NavItem;
use crate::store::visible::{VisibleRow, visible_modules};

/// A module's entry of the menu with what is below it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MenuEntry)]
pub(super) struct Entry {
    module_name: String,
    label: String,
    /// A path within the application; an entry without one is a heading.
    route: Option<String>,
    icon: Option<String>,
    order: i32,
    admin_only: bool,
    children: Vec<NavItem>,
}

impl Entry {
    fn new(module_name: String, item: NavItem) -> Self {
        let NavItem { route, icon, label, order, admin_only, children } = item;
        Self { module_name, label, route, icon, order, admin_only, children }
    }
}

/// The menu of the caller: the entries of modules that are on for them, without what is for admins only, sorted by order and label.
#[utoipa::path(get, path = "/platform/navigation", responses((status = 200, body = Vec<Entry>), (status = 304)))]
pub(super) async fn navigation(
    SignedIn(caller): SignedIn,
    State(state): Shared,
    headers: HeaderMap,
) -> Result<Response> {
    let rows = visible_modules(&state.database, &caller).await?;
    etag::cacheable_json(&headers, &menu(rows, caller.is_platform_admin))
}

fn menu(rows: Vec<VisibleRow>, is_platform_admin: bool) -> Vec<Entry> {
    let entry = |row: VisibleRow| {
        let item = row.nav_config?.visible_to(is_platform_admin)?;
        Some(Entry::new(row.module_name, item))
    };
    let mut menu: Vec<Entry> = rows.into_iter().filter_map(entry).collect();
    // Rows come sorted by name, which decides between equals.
    menu.sort_by(|a, b| (a.order, &a.label).cmp(&(b.order, &b.label)));
    menu
}
