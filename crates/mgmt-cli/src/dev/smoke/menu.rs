//! Menus, as the labels of their entries in the order in which they are shown.

use anyhow::{Context as _, Result};
use axum::http::Method;
use serde_json::Value;

use crate::commands::modules::document::Wanted;
use crate::dev::identity::Person;
use crate::dev::platform::Platform;

/// The entries of some modules in a person's menu.
pub(super) async fn shown(platform: &Platform, person: &Person, modules: &[Wanted]) -> Result<Vec<String>> {
    let path = "/platform/navigation";
    let menu = platform.ask(Some(person), Method::GET, path, None).await?.success(path)?;
    let entries = menu.as_array().context("the menu is no list")?.iter();
    let of_modules = entries.filter(|entry| modules.iter().any(|module| entry["moduleName"] == module.name));
    // Everything that is shown counts, whoever it is for.
    Ok(of_modules.flat_map(|entry| labels(entry, true)).collect())
}

/// The entries that a menu should have while all these modules are on.
pub(super) fn expected(modules: &[Wanted], is_admin: bool) -> Vec<String> {
    let mut items: Vec<&Value> = modules.iter().filter_map(|module| module.fields.get("navConfig")).collect();
    items.sort_by_key(|item| item["order"].as_i64());
    items.into_iter().flat_map(|item| labels(item, is_admin)).collect()
}

fn labels(item: &Value, is_admin: bool) -> Vec<String> {
    if item["adminOnly"] == true && !is_admin {
        return Vec::new();
    }
    let children = item["children"].as_array().into_iter().flatten().flat_map(|child| labels(child, is_admin));
    item["label"].as_str().map(str::to_owned).into_iter().chain(children).collect()
}
