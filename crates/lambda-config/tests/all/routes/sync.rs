use mgmt_testkit::database::ConnectionMode;
use mgmt_testkit::direct_and_through_pgbouncer;
use mgmt_testkit::eventbridge::Rule;
use mgmt_testkit::gateway::{Request, Who};
use serde_json::{Value, json};

use crate::bed::{Bed, SYNC, WARMING};
use crate::values::{hours, office};

direct_and_through_pgbouncer!(a_sync_brings_the_rules_back_to_the_stored_schedule);
async fn a_sync_brings_the_rules_back_to_the_stored_schedule(mode: ConnectionMode) {
    let bed = Bed::by(mode).await;
    bed.save(&office()).await;
    let before = bed.rules();
    bed.bus.edit(|bus| {
        let rule = bus.values_mut().next().unwrap();
        rule.state = "DISABLED".into();
    });
    let answer = bed.send(&Request::post(SYNC)).await.expect(200).json();
    assert_eq!((&answer["status"], &answer["needsAttention"]), (&json!("synced"), &json!(false)), "{answer}");
    assert_eq!(bed.rules(), before);
}

direct_and_through_pgbouncer!(a_dry_run_answers_the_plan_and_changes_nothing);
async fn a_dry_run_answers_the_plan_and_changes_nothing(mode: ConnectionMode) {
    let bed = Bed::by(mode).await;
    bed.save(&hours(&[1, 3])).await;
    // Saved past the API, so that there is something to plan.
    bed.arrange(&format!(
        "update platform_lambda_config set config_value = '{}' where config_key = 'lambda_warming'",
        hours(&[1, 5])
    ))
    .await;
    let state = async || bed.look("select to_jsonb(s)::text from platform_rule_sync s").await;
    let (stored, bus) = (state().await, bed.bus.bus());
    bed.bus.forget_calls();
    let plan = bed.send(&Request::post(&format!("{SYNC}?dryRun=true"))).await.expect(200).json()["plan"].clone();
    let actions: Vec<&str> =
        plan["rules"].as_array().unwrap().iter().map(|rule| rule["action"].as_str().unwrap()).collect();
    assert!(actions.contains(&"create") && actions.contains(&"delete"), "{plan}");
    assert_eq!((bed.bus.writes(), bed.bus.bus(), state().await), (0, bus, stored));
}

direct_and_through_pgbouncer!(adopting_keeps_the_old_payloads_and_removes_the_old_rules_last);
/// What the old system sent to its functions becomes their payload before its rules go.
async fn adopting_keeps_the_old_payloads_and_removes_the_old_rules_last(mode: ConnectionMode) {
    let bed = Bed::by(mode).await;
    let arn = |name: &str| format!("arn:aws:lambda:eu-central-1:123456789012:function:{name}");
    let old = Rule::scheduled("cron(0/5 9-17 ? * MON-FRI *)")
        .with_target("t1", &arn("orders"), r#"{"warmer":true}"#)
        .with_target("t2", &arn("reports"), r#"{"ping":1}"#);
    let foreign = Rule::scheduled("rate(5 minutes)").with_target("t", &arn("other"), "{}");
    bed.bus.edit(|bus| {
        bus.insert("app-dev-warmer-pattern-1".into(), old);
        bus.insert("app-dev2-warmer-pattern-1".into(), foreign);
    });
    let saved = bed.save(&office()).await;
    assert_eq!(saved["sync"]["status"], "synced", "{saved}");
    assert!(bed.bus.bus().contains_key("app-dev-warmer-pattern-1"), "nobody asked for the old rule to go");

    let mut another = Who::PlatformAdmin.claims().unwrap();
    another["sub"] = json!("0190a000-0000-7000-8000-000000000002");
    let adopt = Request::post(&format!("{SYNC}?adoptOld=true")).with_claims(Some(another));
    let answer = bed.send(&adopt).await.expect(200).json();
    assert_eq!(answer["status"], "synced", "{answer}");
    assert_eq!(answer["adopted"].as_array().unwrap().len(), 2, "{answer}");
    assert!(!bed.bus.bus().contains_key("app-dev-warmer-pattern-1"));
    assert!(bed.bus.bus().contains_key("app-dev2-warmer-pattern-1"), "Faults, row 25: that rule is foreign");
    let config = bed.send(&Request::get(WARMING)).await.expect(200).json();
    let functions = &config["configValue"]["lambda_functions"];
    assert_eq!(functions[0], json!({"name": "orders", "payload": {"warmer": true}}));
    assert_eq!(functions[2], json!({"name": "reports", "payload": {"ping": 1}}));
    assert_eq!(config["updatedBy"], "0190a000-0000-7000-8000-000000000002");
    assert_eq!((&config["rowVersion"], &config["sync"]["status"]), (&json!(3), &json!("synced")), "{config}");

    bed.bus.forget_calls();
    let again = bed.send(&Request::post(&format!("{SYNC}?adoptOld=true"))).await.expect(200).json();
    assert_eq!((&again["status"], bed.bus.writes()), (&json!("synced"), 0), "{again}");
}

#[tokio::test]
async fn old_rules_stay_while_ours_are_off() {
    let bed = Bed::new().await;
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:orders";
    bed.bus.edit(|bus| {
        bus.insert("app-dev-warmer-pattern-1".into(), Rule::scheduled("rate(5 minutes)").with_target("t", arn, "{}"));
    });
    let answer = bed.send(&Request::post(&format!("{SYNC}?adoptOld=true"))).await.expect(200).json();
    assert_eq!(answer["status"], "pending", "{answer}");
    assert!(answer["reason"].as_str().unwrap().contains("old rule"), "{answer}");
    assert!(bed.bus.bus().contains_key("app-dev-warmer-pattern-1"));
}

#[tokio::test]
async fn a_query_that_is_not_understood_changes_nothing() {
    let bed = Bed::new().await;
    for query in ["dryRun=yes", "dry_run=true", "dryrun=true", "dryRun=true&dryRun=false", "adoptOld=1", "all=true"] {
        bed.send(&Request::post(&format!("{SYNC}?{query}"))).await.expect(400);
    }
    assert_eq!(bed.bus.call_count(), 0);
    let plan: Value = bed.send(&Request::post(&format!("{SYNC}?dryRun=true&adoptOld=false"))).await.expect(200).json();
    assert!(plan["plan"]["rules"].is_array());
}
