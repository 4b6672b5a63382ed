//! What a newcomer pastes from the README is accepted.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

use mgmt_common::schedule::config::WarmingConfig;
use mgmt_common::usage::item::BatchItem;
use module_mgmt_protocol::caller::Caller;
use serde_json::{Value, json};

fn project_file(name: &str) -> String {
    let path = format!("{}/../../{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The JSON bodies of the README's curl commands.
fn bodies() -> Vec<Value> {
    let readme = project_file("README.md");
    let parts = readme.split("-d '").skip(1).map(|rest| rest.split('\'').next().unwrap());
    parts.map(|body| serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))).collect()
}

#[test]
fn the_schedules_are_valid_and_name_functions_of_the_local_platform() {
    let samples = project_file("crates/mgmt-cli/src/dev/samples.rs");
    let of_readme = bodies().into_iter().find_map(|body| body.get("configValue").cloned()).unwrap();
    for schedule in [of_readme, serde_json::from_str(&project_file("examples/schedule.json")).unwrap()] {
        WarmingConfig::parse(&schedule).unwrap();
        for function in schedule["lambda_functions"].as_array().unwrap() {
            let name = function["name"].as_str().or(function.as_str()).unwrap();
            assert!(samples.contains(&format!("\"{name}\"")), "{name}");
        }
    }
}

#[test]
fn the_events_are_counted() {
    let events = |body: Value| match body.get("events") {
        Some(events) => events.as_array().unwrap().clone(),
        None if body.get("eventType").is_some() => vec![body],
        None => Vec::new(),
    };
    let events: Vec<Value> = bodies().into_iter().flat_map(events).collect();
    assert_eq!(events.len(), 3);
    let modules = project_file("examples/modules.yaml");
    for mut event in events {
        // One event alone is of the module in its path.
        let module = event["moduleName"].as_str().unwrap_or("module-orders").to_owned();
        assert!(modules.contains(&format!("name: {module}\n")), "{module}");
        event["moduleName"] = json!(module);
        let raw = event.to_string();
        BatchItem::from_caller(&Caller::without_rights("user", "org"), &raw).event.unwrap();
    }
}
