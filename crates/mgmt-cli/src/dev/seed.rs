//! Demo modules, so that a new platform has something to show. Registered over the API, as anybody else's.

use anyhow::{Context as _, Result};
use axum::http::Method;
use serde_json::{Value, json};

use super::identity::PLATFORM_ADMIN;
use super::platform::Platform;
use crate::commands::modules::document::{Wanted, parse_text};
use crate::output::progress;

pub(crate) const DEMO: &str = include_str!("../../../../examples/modules.yaml");

/// The demo modules, what is needed before what needs it.
pub(crate) fn demo_modules() -> Result<Vec<Wanted>> {
    parse_text("examples/modules.yaml", DEMO).map_err(|failure| anyhow::anyhow!("{failure:?}"))
}

/// Registers the demo modules that this database has never seen, and answers how many. What a developer has changed,
/// switched off or deleted since stays so, and nothing about it keeps the platform from starting.
pub(crate) async fn seed(platform: &Platform) -> Result<usize> {
    let path = "/platform/modules";
    let registered = ask(platform, Method::GET, path, None).await?.success(path)?;
    let registered = registered.as_array().context("the list of modules is no list")?;
    let mut count = 0;
    for module in demo_modules()? {
        if registered.iter().any(|other| other["name"] == module.name) {
            continue;
        }
        // Deleted modules have a history too.
        let history = format!("{path}/{}/history?limit=1", module.name);
        if ask(platform, Method::GET, &history, None).await?.status != 404 {
            continue;
        }
        count += usize::from(register(platform, &module).await?);
    }
    if count > 0 {
        progress(&format!("{count} demo modules are registered"));
    }
    Ok(count)
}

async fn register(platform: &Platform, module: &Wanted) -> Result<bool> {
    let mut body = Value::Object(module.fields.clone());
    body["name"] = json!(module.name);
    let mut answer = ask(platform, Method::POST, "/platform/modules", Some(&body)).await?;
    if answer.status == 409 {
        // A developer may have switched off what it needs.
        body["isEnabled"] = json!(false);
        answer = ask(platform, Method::POST, "/platform/modules", Some(&body)).await?;
    }
    if answer.status != 201 {
        progress(&format!("{} is not registered: {}", module.name, answer.body["detail"]));
    }
    Ok(answer.status == 201)
}

async fn ask(platform: &Platform, method: Method, path: &str, body: Option<&Value>) -> Result<super::http::Answer> {
    platform.ask(Some(&PLATFORM_ADMIN), method, path, body).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_comes_before_what_needs_it() {
        let modules = demo_modules().unwrap();
        for (place, module) in modules.iter().enumerate() {
            let needed = module.fields.get("dependencies").and_then(Value::as_array);
            for needed in needed.into_iter().flatten().filter_map(Value::as_str) {
                let name = needed.split('@').next();
                assert!(modules[..place].iter().any(|earlier| Some(earlier.name.as_str()) == name), "{needed}");
            }
        }
    }
}
