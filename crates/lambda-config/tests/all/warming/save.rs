use mgmt_testkit::database::ConnectionMode;
use mgmt_testkit::direct_and_through_pgbouncer;
use mgmt_testkit::gateway::Request;
use serde_json::{Value, json};

use crate::bed::{Bed, SYNC, WARMING};
use crate::values::{body, hours, office};

direct_and_through_pgbouncer!(a_saved_schedule_is_stored_synced_and_shown_as_synced);
async fn a_saved_schedule_is_stored_synced_and_shown_as_synced(mode: ConnectionMode) {
    let bed = Bed::by(mode).await;
    let saved = bed.save(&office()).await;
    assert_eq!(
        (&saved["sync"]["status"], &saved["config"]["sync"]["status"]),
        (&json!("synced"), &json!("synced")),
        "{saved}"
    );
    assert_eq!(saved["config"]["configValue"], office());
    let rules = bed.rules();
    assert!((1..=4).contains(&rules.len()), "{rules:?}");
    for (name, rule) in &rules {
        assert_eq!(rule.state, "ENABLED", "{name}");
        let target = &rule.targets["warmer"];
        assert_eq!(target["Arn"], "arn:aws:lambda:eu-central-1:123456789012:function:warmer");
        assert_eq!(target["DeadLetterConfig"]["Arn"], "arn:aws:sqs:eu-central-1:123456789012:dead-ticks");
        assert_eq!(target["RetryPolicy"], json!({"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}));
        assert_eq!(target.get("Input"), None, "the warmer needs the event's own time");
    }
    let config = bed.send(&Request::get(WARMING)).await.expect(200).json();
    let sync = &config["sync"];
    assert_eq!(
        (&sync["status"], &sync["appliedVersion"], &sync["reason"]),
        (&json!("synced"), &json!(2), &Value::Null)
    );
    assert_eq!(sync["observed"].as_array().unwrap().len(), rules.len());
    assert!(sync["appliedAt"].is_string() && sync["attemptedAt"].is_string());
}

/// Every fault at once, and nothing stored, synced or written. Faults, rows 30 to 32 on this route.
#[tokio::test]
async fn an_invalid_schedule_is_422_with_every_pointer_and_changes_nothing() {
    let bed = Bed::new().await;
    let mut wrong = office();
    wrong["timezone"] = json!("america/new_york");
    wrong["interval_minutes"] = json!(0);
    wrong["weekly_schedule"]["monday"]["ranges"] =
        json!([{"start": "09:00", "end": "24:01"}, {"start": "10:00", "end": "10:00"}]);
    wrong["lambda_functions"] = json!(["orders", "orders", {"name": "no good"}]);
    wrong["extra"] = json!(1);
    let answer = bed.send(&Request::put(WARMING, &body(&wrong))).await.expect(422);
    let mut pointers = answer.pointers();
    pointers.sort();
    assert_eq!(
        pointers,
        [
            "/configValue/extra",
            "/configValue/interval_minutes",
            "/configValue/lambda_functions/1",
            "/configValue/lambda_functions/2/name",
            "/configValue/timezone",
            "/configValue/weekly_schedule/monday/ranges/0/end",
            "/configValue/weekly_schedule/monday/ranges/1/end",
        ]
    );
    let zone = answer.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["pointer"] == "/configValue/timezone")
        .unwrap()
        .clone();
    assert!(zone["message"].as_str().unwrap().contains("America/New_York"), "{zone}");
    assert_eq!(bed.send(&Request::get(WARMING)).await.json()["rowVersion"], 1);
    assert_eq!(bed.bus.call_count(), 0);
}

#[tokio::test]
async fn a_value_that_is_no_schedule_is_422() {
    let bed = Bed::new().await;
    for value in [json!(null), json!(7), json!([]), json!("off"), json!({})] {
        let answer = bed.send(&Request::put(WARMING, &body(&value))).await.expect(422);
        assert!(answer.pointers().iter().all(|pointer| pointer.starts_with("/configValue")), "{value}: {answer:?}");
    }
}

#[tokio::test]
async fn an_unchanged_schedule_is_zero_writes() {
    let bed = Bed::new().await;
    bed.save(&office()).await;
    bed.bus.forget_calls();
    let again = bed.save(&office()).await;
    assert_eq!((&again["sync"]["status"], &again["sync"]["writes"]), (&json!("synced"), &json!(0)));
    bed.send(&Request::post(SYNC)).await.expect(200);
    bed.reconcile().await.unwrap();
    assert_eq!(bed.bus.writes(), 0, "{:?}", bed.bus.calls());
}

#[tokio::test]
async fn k_changed_rules_are_k_put_rules_and_k_put_targets() {
    let bed = Bed::new().await;
    // Minutes apart make rules of their own.
    let at = |minutes: &[&str]| {
        let ranges: Vec<(String, String)> = minutes.iter().map(|m| ((*m).to_owned(), next_minute(m))).collect();
        let ranges: Vec<(&str, &str)> = ranges.iter().map(|(start, end)| (start.as_str(), end.as_str())).collect();
        let mut value = crate::values::schedule(&ranges);
        value["timezone"] = json!("UTC");
        value
    };
    bed.save(&at(&["01:03", "04:11", "09:29", "13:41"])).await;
    let before: Vec<String> = bed.rules().into_iter().map(|(name, _)| name).collect();
    bed.bus.forget_calls();
    let saved = bed.save(&at(&["01:03", "04:11", "10:31", "15:47"])).await;
    assert_eq!(saved["sync"]["status"], "synced", "{saved}");
    let new = bed.rules().into_iter().filter(|(name, _)| !before.contains(name)).count();
    let gone = before.iter().filter(|name| !bed.rules().iter().any(|(kept, _)| kept == *name)).count();
    assert!(new > 0 && new < bed.rules().len(), "the example changes some rules and not all: {before:?}");
    assert_eq!((bed.bus.count("PutRule"), bed.bus.count("PutTargets")), (new, new));
    assert_eq!((bed.bus.count("RemoveTargets"), bed.bus.count("DeleteRule")), (gone, gone));
    // Never a moment with neither the old nor the new.
    assert!(
        bed.bus
            .timeline()
            .iter()
            .all(|moment| moment.bus.values().filter(|rule| rule.is_active()).count() >= before.len())
    );
}

fn next_minute(minute: &str) -> String {
    let (hour, minute) = minute.split_once(':').unwrap();
    format!("{hour}:{:02}", minute.parse::<u8>().unwrap() + 1)
}

#[tokio::test]
async fn switching_off_disables_the_rules_and_deletes_nothing() {
    let bed = Bed::new().await;
    let mut disabled = office();
    disabled["enabled"] = json!(false);
    let mut empty = office();
    for day in empty["weekly_schedule"].as_object_mut().unwrap().values_mut() {
        day["enabled"] = json!(false);
    }
    for (what, off) in [
        ("enabled: false", body(&disabled)),
        ("isActive: false", json!({"configValue": office(), "isActive": false})),
        ("an empty week", json!({"configValue": empty, "isActive": true})),
    ] {
        bed.send(&Request::put(WARMING, &json!({"configValue": office(), "isActive": true}))).await.expect(200);
        let on = bed.rules();
        assert!(on.iter().all(|(_, rule)| rule.state == "ENABLED"), "{what}");
        bed.bus.forget_calls();
        let answer = bed.send(&Request::put(WARMING, &off)).await.expect(200).json();
        assert_eq!(answer["sync"]["status"], "synced", "{what}: {answer}");
        let off = bed.rules();
        assert_eq!(off.len(), on.len(), "{what}");
        assert!(off.iter().all(|(_, rule)| rule.state == "DISABLED" && !rule.targets.is_empty()), "{what}: {off:?}");
        assert_eq!(bed.bus.count("DeleteRule") + bed.bus.count("RemoveTargets"), 0, "{what}");
    }
}

#[tokio::test]
async fn the_hourly_run_repairs_drift_and_forgets_old_runs() {
    let bed = Bed::new().await;
    bed.save(&hours(&[1, 3])).await;
    let wanted = bed.rules();
    bed.arrange("insert into platform_warming_run (tick) values (date_trunc('minute', now()) - interval '91 days'), (date_trunc('minute', now()))").await;
    // By hand: one rule deleted, one switched off. Faults, row 25.
    bed.bus.edit(|bus| {
        bus.remove(&wanted[0].0);
        if let Some((name, _)) = wanted.get(1) {
            bus.get_mut(name).unwrap().state = "DISABLED".into();
        }
    });
    let answer = bed.reconcile().await.unwrap();
    assert_eq!(answer["sync"]["status"], "synced", "{answer}");
    assert_eq!((&answer["prunedRuns"], &answer["configVersion"]), (&json!(1), &json!(2)));
    assert_eq!(bed.rules(), wanted);
}
