//! Modules are registered and switched; the menu, the gates and the pings follow.

use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use axum::http::Method;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use super::{Report, call, gates, menu, warming};
use crate::commands::modules::document::parse_text;
use crate::dev::identity::{MEMBER, PLATFORM_ADMIN};
use crate::dev::platform::Platform;
use crate::dev::seed::{DEMO, demo_modules, seed};
use crate::output::progress;

/// More modules, on top of the demo modules and in the wrong order.
const MORE: &str = r#"
modules:
  - name: module-refunds
    version: 0.2.0
    dependencies: ["module-returns@>=1.0"]
    navConfig: {route: /refunds, label: Refunds, order: 70, adminOnly: true}
  - name: module-returns
    version: 1.0.0
    dependencies: [module-reports]
    navConfig: {route: /returns, label: Returns, order: 60}
"#;
/// Every other module is below it, and this one above.
const BASE: &str = "module-orders";
const TOP: &str = "module-refunds";
/// The chain, what is needed before what needs it.
const CHAIN: [&str; 5] = [BASE, "module-invoices", "module-reports", "module-returns", TOP];

/// What followed the modules.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Registry {
    /// Modules that one call enabled.
    modules: usize,
    /// Entries of these modules in the menu while they are on.
    menu_member: usize,
    menu_admin: usize,
    /// The same while they are off.
    menu_member_off: usize,
    menu_admin_off: usize,
    /// Whether each gate let a member through while its module was on.
    passed_rust: bool,
    passed_python: bool,
    /// Whether each gate answered 503 afterwards, and after how many seconds.
    blocked_rust: bool,
    blocked_python: bool,
    blocked_rust_seconds: u64,
    blocked_python_seconds: u64,
    /// Functions that are warmed for the modules only: in a tick while they were on, and in one while they were off.
    pinged_before: usize,
    pinged_after: usize,
    /// Whether both gates let members through again.
    reopened: bool,
}

/// Registers the modules with the command that people use.
pub(super) async fn register(platform: &Platform, report: &mut Report) -> Result<()> {
    report.expect("demo modules registered by another start", seed(platform).await?, 0);
    let demo = apply(platform, DEMO, &[]).await?;
    report.expect("demo modules as their file says", demo["plan"]["unchanged"].as_array().map(Vec::len), 3);
    let planned = apply(platform, MORE, &["--dry-run"]).await?;
    report.expect("steps of a plan", planned["plan"]["steps"].as_array().map(Vec::len), 2);
    report.expect("of them done in a dry run", planned["done"].clone(), 0);
    report.expect("modules registered by mgmt modules apply", apply(platform, MORE, &[]).await?["done"].clone(), 2);
    let again = apply(platform, MORE, &[]).await?;
    report.expect("steps of the same file again", again["plan"]["steps"].clone(), json!([]));
    Ok(())
}

/// From all off to all on, with one call.
pub(super) async fn switch_on(platform: &Platform, report: &mut Report) -> Result<()> {
    switch(platform, &format!("{BASE}/disable?cascade=true"), None).await?;
    check_menus(platform, report, false).await?;
    let enabled = switch(platform, &format!("{TOP}/enable?cascade=true"), None).await?;
    report.expect("enabled by one call, in order", enabled["impact"]["changes"].clone(), CHAIN.as_slice());
    report.registry.modules = enabled["impact"]["changes"].as_array().map_or(0, Vec::len);
    check_menus(platform, report, true).await?;
    gates::wait_until_open(platform).await?;
    (report.registry.passed_rust, report.registry.passed_python) = (true, true);
    report.observe("gates that let a member through", "Rust, Python");
    Ok(())
}

/// The run of a tick while the modules are on.
pub(super) async fn check_pinged(platform: &Platform, report: &mut Report, run: &Value) -> Result<()> {
    let wanted = module_functions(platform).await?;
    let pinged = of_modules(run);
    report.registry.pinged_before = pinged.len();
    report.expect("functions of modules pinged while on", names(&pinged), wanted);
    let sum = |field: &str| pinged.iter().filter_map(|function| function[field].as_u64()).sum::<u64>();
    report.expect("their pings answered", sum("reached"), sum("asked"));
    report.observe("their distinct instances", sum("unique"));
    Ok(())
}

/// Switches everything off as it was told before, and answers since when it is.
pub(super) async fn switch_off(platform: &Platform, report: &mut Report) -> Result<Timestamp> {
    let warmed = module_functions(platform).await?;
    let told = switch(platform, &format!("{BASE}/disable?cascade=true&dryRun=true"), None).await?;
    report.expect("functions that a dry run says will cool down", told["impact"]["functions"].clone(), warmed);
    // The gates have just read that the modules are on: it takes them as long as it can.
    gates::wait_until_open(platform).await?;
    progress("disabling the modules and waiting until the gates see it");
    let agreed = json!({ "planHash": told["impact"]["planHash"] });
    let disabled = switch(platform, &format!("{BASE}/disable?cascade=true"), Some(&agreed)).await?;
    let since = Timestamp::now();
    let reversed: Vec<&str> = CHAIN.into_iter().rev().collect();
    report.expect("disabled by one call, in order", disabled["impact"]["changes"].clone(), reversed);
    check_menus(platform, report, false).await?;
    let seconds = gates::wait_until_closed(platform).await?;
    let registry = &mut report.registry;
    (registry.blocked_rust, registry.blocked_python) = (true, true);
    (registry.blocked_rust_seconds, registry.blocked_python_seconds) = (seconds.rust, seconds.python);
    report.observe("seconds until the gate in Rust answered 503", seconds.rust);
    report.observe("seconds until the gate in Python answered 503", seconds.python);
    Ok(since)
}

/// The run of a tick while the modules are off.
pub(super) fn check_not_pinged(report: &mut Report, run: &Value) {
    let pinged = of_modules(run);
    report.registry.pinged_after = pinged.len();
    report.expect("functions of modules pinged while off", names(&pinged), Vec::<String>::new());
}

pub(super) async fn switch_on_again(platform: &Platform, report: &mut Report) -> Result<()> {
    switch(platform, &format!("{TOP}/enable?cascade=true"), None).await?;
    let seconds = gates::wait_until_open(platform).await?;
    report.registry.reopened = true;
    report.observe("seconds until both gates were open again", seconds.rust.max(seconds.python));
    Ok(())
}

async fn check_menus(platform: &Platform, report: &mut Report, is_on: bool) -> Result<()> {
    let mut modules = demo_modules()?;
    modules.extend(parse_text("the chain", MORE).map_err(|failure| anyhow::anyhow!("{failure:?}"))?);
    let state = if is_on { "on" } else { "off" };
    let expected = |is_admin| if is_on { menu::expected(&modules, is_admin) } else { Vec::new() };
    let member = menu::shown(platform, &MEMBER, &modules).await?;
    let admin = menu::shown(platform, &PLATFORM_ADMIN, &modules).await?;
    let registry = &mut report.registry;
    if is_on {
        (registry.menu_member, registry.menu_admin) = (member.len(), admin.len());
    } else {
        (registry.menu_member_off, registry.menu_admin_off) = (member.len(), admin.len());
    }
    report.expect(&format!("menu of a member while {state}"), member, expected(false));
    report.expect(&format!("menu of a platform admin while {state}"), admin, expected(true));
    Ok(())
}

/// The functions that the modules which are on want warm and the schedule does not name, as the registry has them.
async fn module_functions(platform: &Platform) -> Result<Vec<String>> {
    let path = "/platform/modules?enabled=true";
    let modules = call(platform, Some(&PLATFORM_ADMIN), Method::GET, path, None).await?.success(path)?;
    let lists = modules.as_array().into_iter().flatten().filter_map(|module| module["functions"].as_array());
    let names = lists.flatten().filter_map(|function| function["name"].as_str().or(function.as_str()));
    let mut names: Vec<String> = names.filter(|name| !warming::is_scheduled(name)).map(str::to_owned).collect();
    names.sort();
    Ok(names)
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

async fn switch(platform: &Platform, what: &str, body: Option<&Value>) -> Result<Value> {
    let path = format!("/platform/modules/{what}");
    call(platform, Some(&PLATFORM_ADMIN), Method::POST, &path, body).await?.success(&path)
}

/// `mgmt modules apply` on a document.
async fn apply(platform: &Platform, document: &str, arguments: &[&str]) -> Result<Value> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let mut command = tokio::process::Command::new(program);
    command.args(["modules", "apply", "--file", "-", "--json"]).args(arguments);
    command.env("MODULE_MGMT_URL", &platform.url).env("MODULE_MGMT_TOKEN", platform.token(&PLATFORM_ADMIN)?);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().context("cannot start mgmt modules apply")?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(document.as_bytes()).await?;
    }
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        bail!("mgmt modules apply failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
