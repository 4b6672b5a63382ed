//! Modules are registered and switched; the menu, the gates and the pings follow.

use std::time::Instant;

use anyhow::Result;
use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::apply::apply;
use super::pings::module_functions;
use super::{Report, gates, menu};
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
    let since = Instant::now();
    report.expect("enabled by one call, in order", enabled["impact"]["changes"].clone(), CHAIN.as_slice());
    report.registry.modules = enabled["impact"]["changes"].as_array().map_or(0, Vec::len);
    check_menus(platform, report, true).await?;
    let passed = gates::follow(platform, report, true, since).await?;
    (report.registry.passed_rust, report.registry.passed_python) = (passed.rust.is_some(), passed.python.is_some());
    Ok(())
}

/// Switches everything off as it was told before, and answers since when it is.
pub(super) async fn switch_off(platform: &Platform, report: &mut Report) -> Result<Timestamp> {
    let warmed: Vec<String> = module_functions(platform).await?.into_keys().collect();
    let told = switch(platform, &format!("{BASE}/disable?cascade=true&dryRun=true"), None).await?;
    report.expect("functions that a dry run says will cool down", told["impact"]["functions"].clone(), warmed);
    // Everybody has used a module of the chain, and the gates' callers are among them.
    let impact = &told["impact"];
    report.expect("organisations that a dry run says are active", impact["activeOrgs"].clone(), 1);
    report.expect("users that a dry run says are active", impact["activeUsers"].clone(), report.usage.users);
    // The gates have just read that the modules are on: it takes them as long as it can.
    gates::follow(platform, report, true, Instant::now()).await?;
    progress("disabling the modules and waiting until the gates see it");
    let agreed = json!({ "planHash": told["impact"]["planHash"] });
    let disabled = switch(platform, &format!("{BASE}/disable?cascade=true"), Some(&agreed)).await?;
    let (since, disabled_at) = (Instant::now(), Timestamp::now());
    let reversed: Vec<&str> = CHAIN.into_iter().rev().collect();
    report.expect("disabled by one call, in order", disabled["impact"]["changes"].clone(), reversed);
    check_menus(platform, report, false).await?;
    let blocked = gates::follow(platform, report, false, since).await?;
    let registry = &mut report.registry;
    (registry.blocked_rust, registry.blocked_python) = (blocked.rust.is_some(), blocked.python.is_some());
    (registry.blocked_rust_seconds, registry.blocked_python_seconds) = (blocked.rust, blocked.python);
    Ok(disabled_at)
}

pub(super) async fn switch_on_again(platform: &Platform, report: &mut Report) -> Result<()> {
    switch(platform, &format!("{TOP}/enable?cascade=true"), None).await?;
    let opened = gates::follow(platform, report, true, Instant::now()).await?;
    report.registry.reopened = opened.rust.and(opened.python).is_some();
    check_menus(platform, report, true).await
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

async fn switch(platform: &Platform, what: &str, body: Option<&Value>) -> Result<Value> {
    let path = format!("/platform/modules/{what}");
    platform.ask(Some(&PLATFORM_ADMIN), Method::POST, &path, body).await?.success(&path)
}
