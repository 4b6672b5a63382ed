//! The texts of our enums are those that the tables' checks allow: no more and no fewer.

use std::collections::BTreeSet;

use mgmt_common::warming::report::{RunStatus, TargetStatus};
use mgmt_testkit::database::TestDatabase;
use module_mgmt_protocol::state::ModuleType;
use module_mgmt_protocol::usage::{EventStatus, EventType};
use serde_json::Value;

#[tokio::test]
async fn enums_and_checks_have_the_same_texts() {
    let database = TestDatabase::create().await;
    let run = RunStatus::ALL.map(RunStatus::as_str);
    let target = TargetStatus::ALL.map(TargetStatus::as_str);
    let event_type = EventType::ALL.map(EventType::as_str);
    let event_status = EventStatus::ALL.map(EventStatus::as_str);
    let module_type = [ModuleType::Core, ModuleType::Functional].map(ModuleType::as_str);
    // No crate shows these two enums to its tests. The API's document is made from them, and mgmt-openapi tests that it is fresh.
    let document: Value = serde_json::from_str(include_str!("../../../../../openapi.json")).unwrap();
    let audit_action = words_of(&document, "AuditAction");
    let rule_sync = words_of(&document, "RulesStatus");
    // The way that an event came is in no answer.
    let source = ["http", "sqs"];
    for (table, column, ours) in [
        ("platform_warming_run", "status", run.as_slice()),
        ("platform_warming_target", "status", &target),
        ("platform_module_usage", "event_type", &event_type),
        ("platform_module_usage", "status", &event_status),
        ("platform_module_registry", "module_type", &module_type),
        ("platform_module_usage", "source", &source),
        ("platform_module_usage_reject", "source", &source),
        ("platform_module_audit", "action", &audit_action),
        ("platform_rule_sync", "status", &rule_sync),
    ] {
        assert_eq!(
            allowed(&database, table, column).await,
            ours.iter().map(|text| (*text).to_owned()).collect(),
            "{table}.{column}"
        );
    }
}

/// The words of an enum in the API's document.
fn words_of<'a>(document: &'a Value, schema: &str) -> Vec<&'a str> {
    let words = document["components"]["schemas"][schema]["enum"].as_array().expect(schema);
    words.iter().map(|word| word.as_str().unwrap()).collect()
}

/// The quoted texts in the check of a column.
async fn allowed(database: &TestDatabase, table: &str, column: &str) -> BTreeSet<String> {
    let statement = "select pg_get_constraintdef(oid) from pg_constraint
        where conrelid = ('public.' || $1)::regclass and contype = 'c' and conname = $1 || '_' || $2 || '_check'";
    let row = database.admin().await.query_one(statement, &[&table, &column]).await.unwrap();
    let text: String = row.get(0);
    text.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}
