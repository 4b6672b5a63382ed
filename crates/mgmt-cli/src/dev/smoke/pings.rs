//! The pings follow the modules.

use std::collections::BTreeMap;

use anyhow::Result;
use axum::http::Method;
use serde_json::Value;

use super::{Report, warming};
use crate::dev::identity::PLATFORM_ADMIN;
use crate::dev::platform::Platform;

/// The run of a tick while the modules are on.
pub(super) async fn check_while_on(platform: &Platform, report: &mut Report, run: &Value) -> Result<()> {
    let wanted = module_functions(platform).await?;
    let pinged = of_modules(run);
    report.registry.pinged_before = pinged.len();
    report.expect_at_least("functions that only modules want warm", wanted.len(), 1);
    report.expect("functions of modules pinged while on", names(&pinged), wanted.keys().cloned().collect::<Vec<_>>());
    let all = warming::scheduled_pings() + wanted.values().sum::<u64>();
    report.expect("pings asked while on, the schedule's own among them", run["asked"].clone(), all);
    let sum = |field: &str| pinged.iter().filter_map(|function| function[field].as_u64()).sum::<u64>();
    report.expect("their pings answered", sum("reached"), sum("asked"));
    report.observe("their distinct instances", sum("unique"));
    Ok(())
}

/// The run of a tick while the modules are off.
pub(super) fn check_while_off(report: &mut Report, run: &Value) {
    let pinged = of_modules(run);
    report.registry.pinged_after = pinged.len();
    report.expect("functions of modules pinged while off", names(&pinged), Vec::<String>::new());
}

/// The functions that the modules which are on want warm and the schedule does not name, as the registry has them, each with
/// how many instances.
pub(super) async fn module_functions(platform: &Platform) -> Result<BTreeMap<String, u64>> {
    let path = "/platform/modules?enabled=true";
    let modules = platform.ask(Some(&PLATFORM_ADMIN), Method::GET, path, None).await?.success(path)?;
    let lists = modules.as_array().into_iter().flatten().filter_map(|module| module["functions"].as_array());
    let entries = lists.flatten().filter_map(|function| {
        let name = function["name"].as_str().or(function.as_str())?;
        Some((name.to_owned(), function["concurrency"].as_u64().unwrap_or(1)))
    });
    Ok(entries.filter(|(name, _)| !warming::is_scheduled(name)).collect())
}

/// What a run says about the functions beside the schedule's own.
fn of_modules(run: &Value) -> Vec<&Value> {
    let functions = run["functions"].as_array().into_iter().flatten();
    functions.filter(|function| function["name"].as_str().is_some_and(|name| !warming::is_scheduled(name))).collect()
}

fn names(functions: &[&Value]) -> Vec<String> {
    let mut names: Vec<String> =
        functions.iter().filter_map(|function| Some(function["name"].as_str()?.to_owned())).collect();
    names.sort();
    names
}
