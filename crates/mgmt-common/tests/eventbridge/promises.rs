//! What holds when nothing goes wrong: exact numbers of writes, drift repaired, switches that only switch.

use std::time::{Duration, Instant};

use mgmt_common::eventbridge::{Outcome, Pacing, SyncStatus};
use mgmt_common::rules::{Action, Desired, RuleState};
use mgmt_testkit::eventbridge::{Bus, Fault, Rule};

use crate::bed::{Bed, desired, manager, pacing, rule, soon};

const TWENTY: [u32; 20] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];

#[tokio::test]
async fn an_unchanged_schedule_is_no_write_at_all() {
    let bed = Bed::new().await;
    let wanted = desired(&TWENTY);
    assert_eq!(bed.reconcile(&wanted).await.status, SyncStatus::Synced);
    assert!(bed.is_as_desired(&wanted));
    bed.fake.forget_calls();
    let report = bed.reconcile(&wanted).await;
    assert_eq!((report.status, report.writes, bed.fake.writes()), (SyncStatus::Synced, 0, 0));
}

#[tokio::test]
async fn k_changed_rules_are_k_put_rules_and_k_put_targets() {
    for changed in 1..=20 {
        let bed = Bed::new().await;
        let mut wanted = desired(&TWENTY);
        bed.seed(&wanted);
        for rule in &mut wanted.rules[..changed] {
            rule.target.input = Some("{}".to_owned());
        }
        let report = bed.reconcile(&wanted).await;
        assert_eq!(report.status, SyncStatus::Synced, "{report:#?}");
        assert!(bed.is_as_desired(&wanted));
        let counts = (bed.fake.count("PutRule"), bed.fake.count("PutTargets"), bed.fake.writes());
        assert_eq!(counts, (changed, changed, 2 * changed));
    }
}

#[tokio::test]
async fn the_master_switch_disables_the_rules_and_changes_nothing_else() {
    let bed = Bed::new().await;
    let mut wanted = desired(&[1, 2, 3]);
    bed.seed(&wanted);
    for state in [RuleState::Disabled, RuleState::Enabled] {
        for rule in &mut wanted.rules {
            rule.state = state;
        }
        assert_eq!(bed.reconcile(&wanted).await.status, SyncStatus::Synced);
        assert!(bed.is_as_desired(&wanted));
    }
}

#[tokio::test]
async fn an_empty_week_disables_every_rule_of_ours_and_deletes_none() {
    let bed = Bed::new().await;
    let before = desired(&TWENTY);
    bed.seed(&before);
    let empty = Desired { rules: Vec::new(), ..before.clone() };
    let report = bed.reconcile(&empty).await;
    assert_eq!(report.status, SyncStatus::Synced, "{report:#?}");
    assert_eq!((bed.fake.count("PutRule"), bed.fake.writes()), (20, 20));
    let mut off = before;
    for rule in &mut off.rules {
        rule.state = RuleState::Disabled;
    }
    assert!(bed.is_as_desired(&off));
    bed.fake.forget_calls();
    assert_eq!(bed.reconcile(&empty).await.status, SyncStatus::Synced);
    assert_eq!(bed.fake.writes(), 0);
}

/// The field that shows the drift, and what a person does to the rule.
type Edit = (&'static str, fn(&mut Rule));

/// Each edit is something a person can do to rule 1 in the AWS console.
/// Faults, row 25.
#[tokio::test]
async fn hand_edited_and_hand_deleted_rules_are_shown_and_repaired() {
    let stray = "arn:aws:lambda:eu-central-1:123456789012:function:stray";
    let edits: [Edit; 9] = [
        ("state", |rule| rule.state = "DISABLED".to_owned()),
        ("expression", |rule| rule.expression = Some("rate(1 minute)".to_owned())),
        ("description", |rule| rule.description = None),
        ("eventPattern", |rule| rule.event_pattern = Some(r#"{"source":["x"]}"#.to_owned())),
        ("roleArn", |rule| rule.role_arn = Some("arn:aws:iam::123456789012:role/x".to_owned())),
        ("target", |rule| rule.targets.clear()),
        ("target.input", |rule| rule.targets.get_mut("warmer").unwrap()["Input"] = "{}".into()),
        ("target.maxRetries", |rule| {
            rule.targets.get_mut("warmer").unwrap()["RetryPolicy"]["MaximumRetryAttempts"] = 9.into();
        }),
        ("target.deadLetterArn", |rule| {
            rule.targets.get_mut("warmer").unwrap().as_object_mut().unwrap().remove("DeadLetterConfig");
        }),
    ];
    let wanted = desired(&[1, 2]);
    let check = async |field: &str, edit: &dyn Fn(&mut Bus)| {
        let bed = Bed::new().await;
        bed.seed(&wanted);
        bed.fake.edit(edit);
        let plan = bed.manager.dry_run(&wanted, soon()).await.unwrap();
        let planned = plan.rules.iter().find(|planned| planned.name == rule(1).name).unwrap();
        match &planned.action {
            Action::Update { drift, .. } => assert_eq!(drift[0].field, field),
            Action::Create { .. } => assert_eq!(field, "deleted"),
            other => panic!("{field}: {other:?}"),
        }
        assert_eq!(bed.fake.writes(), 0, "a dry run reads only");
        let report = bed.reconcile(&wanted).await;
        assert_eq!(report.status, SyncStatus::Synced, "{field}: {report:#?}");
        assert!(bed.is_as_desired(&wanted), "{field}: {:#?}", bed.fake.bus());
    };
    for (field, edit) in edits {
        check(field, &|bus| edit(bus.get_mut(&rule(1).name).unwrap())).await;
    }
    check("deleted", &|bus| drop(bus.remove(&rule(1).name))).await;
    let hang_on = |bus: &mut Bus, count: usize, keep_ours: bool| {
        let on_bus = bus.get_mut(&rule(1).name).unwrap();
        if !keep_ours {
            on_bus.targets.clear();
        }
        for number in 0..count {
            *on_bus = on_bus.clone().with_target(&format!("stray-{number}"), stray, "{}");
        }
    };
    check("surplusTarget", &|bus| hang_on(bus, 1, true)).await;
    check("surplusTarget", &|bus| hang_on(bus, 4, true)).await;
    check("target", &|bus| hang_on(bus, 5, false)).await;
}

#[tokio::test]
async fn all_pages_are_read() {
    let bed = Bed::new().await;
    // 250 rules of a stranger whose names begin like ours, sorted before them.
    bed.fake.edit(|bus| {
        for number in 0..250 {
            bus.insert(format!("app.dev.warm.-{number}"), Rule::scheduled("rate(1 day)"));
        }
    });
    let wanted = desired(&[1, 2]);
    assert_eq!(bed.reconcile(&wanted).await.status, SyncStatus::Synced);
    bed.fake.forget_calls();
    let report = bed.reconcile(&wanted).await;
    assert_eq!((report.status, report.writes), (SyncStatus::Synced, 0));
    assert_eq!(bed.fake.count("ListRules"), 3 + 1);
}

#[tokio::test]
async fn writes_keep_their_pace() {
    let bed = Bed::new().await;
    let paced = manager(&bed.fake.url(), Pacing { writes_per_second: 50, ..pacing() });
    let begin = Instant::now();
    assert_eq!(paced.reconcile(&desired(&[1, 2, 3, 4, 5]), soon()).await.status, SyncStatus::Synced);
    assert_eq!(bed.fake.writes(), 10);
    assert!(begin.elapsed() >= Duration::from_millis(9 * 20), "ten writes at 50/s took {:?}", begin.elapsed());
}

/// Faults, row 27.
#[tokio::test]
async fn no_call_starts_after_the_deadline() {
    let bed = Bed::new().await;
    let slow = manager(&bed.fake.url(), Pacing { writes_per_second: 10, ..pacing() });
    let deadline = Instant::now() + Duration::from_millis(450);
    let report = slow.reconcile(&desired(&TWENTY), deadline).await;
    assert_eq!(report.status, SyncStatus::Pending);
    assert!(report.reasons.iter().any(|reason| reason.contains("the time given")), "{:?}", report.reasons);
    assert!(bed.fake.calls().iter().all(|call| call.at < deadline + Duration::from_millis(50)));
    assert!((1..=6).contains(&bed.fake.writes()), "{} writes in 450 ms at 10/s", bed.fake.writes());
    let failed = report.rules.iter().filter(|rule| rule.outcome == Outcome::Failed).count();
    assert!(failed >= 17, "{failed}");

    bed.fake.forget_calls();
    let report = slow.reconcile(&desired(&TWENTY), Instant::now()).await;
    assert_eq!((report.status, bed.fake.call_count()), (SyncStatus::Pending, 0));
}

#[tokio::test]
async fn an_unreachable_endpoint_is_pending_with_the_reason() {
    let nowhere = manager("http://127.0.0.1:9", pacing());
    let report = nowhere.reconcile(&desired(&[1]), soon()).await;
    assert_eq!((report.status, report.writes), (SyncStatus::Pending, 0));
    assert!(report.reasons[0].starts_with("events:ListRules on app.dev.warm. failed"), "{:?}", report.reasons);
}

#[tokio::test]
async fn a_report_is_json_and_a_reconcile_may_cross_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let bed = Bed::new().await;
    bed.fake.fail_action("PutTargets", 1, Fault::FailedEntry);
    let wanted = desired(&[1]);
    let report = is_send(bed.manager.reconcile(&wanted, soon())).await;
    let body = serde_json::to_value(&report).unwrap();
    assert_eq!((&body["status"], &body["writes"]), (&"pending".into(), &2.into()));
    let failed = body["rules"].as_array().unwrap().iter().find(|one| one["action"] == "create").unwrap();
    assert_eq!((&failed["name"], &failed["outcome"]), (&rule(1).name.into(), &"failed".into()));
    let reason = failed["reason"].as_str().unwrap();
    assert!(reason.starts_with("events:PutTargets on ") && reason.contains("InternalFailure"), "{reason}");
}
