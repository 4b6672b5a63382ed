//! Faults, rows 21 to 24: AWS in trouble. The save counts, the answer says pending with the reason, and the hourly run
//! converges.

use std::collections::BTreeMap;

use mgmt_testkit::database::ConnectionMode;
use mgmt_testkit::direct_and_through_pgbouncer;
use mgmt_testkit::eventbridge::Fault;
use mgmt_testkit::gateway::Request;
use serde_json::json;

use crate::bed::{Bed, SYNC, WARMING, function, settings};
use crate::values::{body, office, schedule};

/// Faults, rows 21 to 24.
#[tokio::test]
async fn whatever_aws_does_the_save_counts_and_the_hourly_run_converges() {
    for (action, fault, word) in [
        ("PutTargets", Fault::FailedEntry, "events:PutTargets"),
        ("PutRule", Fault::AccessDenied, "events:PutRule"),
        ("PutRule", Fault::LimitExceeded, "LimitExceeded"),
        ("PutRule", Fault::Throttling, "Throttling"),
        ("PutTargets", Fault::ConcurrentModification, "ConcurrentModification"),
        ("PutTargets", Fault::InternalAfterApplying, "events:PutTargets"),
        ("PutRule", Fault::LostResponse, "events:PutRule"),
        ("ListRules", Fault::AccessDenied, "events:ListRules"),
        ("ListRules", Fault::Dropped, "events:ListRules"),
    ] {
        let bed = Bed::new().await;
        bed.bus.fail_always(action, fault);
        let saved = bed.save(&office()).await;
        assert_eq!(saved["config"]["configValue"], office());
        assert_eq!(
            (&saved["sync"]["status"], &saved["config"]["sync"]["status"]),
            (&json!("pending"), &json!("pending"))
        );
        let reason = saved["sync"]["reason"].as_str().unwrap();
        assert!(reason.contains(word), "{action} {fault:?}: {reason}");
        assert!(bed.bus.call_count() < 60, "the total number of calls is bounded: {}", bed.bus.call_count());

        let shown = bed.send(&Request::get(WARMING)).await.expect(200).json();
        assert_eq!(shown["sync"]["status"], "pending");
        assert_eq!(shown["sync"]["reason"], reason, "{action} {fault:?}");

        bed.bus.heal();
        let hourly = bed.reconcile().await.unwrap();
        assert_eq!(hourly["sync"]["status"], "synced", "{action} {fault:?}: {hourly}");
        assert_eq!(bed.status().await, "synced", "{action} {fault:?}");
        assert!(bed.rules().iter().all(|(_, rule)| rule.is_active()));
    }
}

#[tokio::test]
async fn an_unreachable_aws_is_200_pending_for_a_save_and_503_for_what_only_reads() {
    let bed = Bed::new().await;
    let url = bed.database.url(mgmt_testkit::database::REQUEST_LOGIN);
    let nowhere = Some("http://127.0.0.1:1".to_owned());
    let cut_off = function(settings(url, mgmt_common::settings::DatabaseRole::Request, nowhere));
    let saved = cut_off.send(&Request::put(WARMING, &body(&office()))).await.expect(200).json();
    assert_eq!(saved["sync"]["status"], "pending", "{saved}");
    let list = cut_off.send(&Request::get("/platform/lambda-functions")).await.expect(503).json();
    assert_eq!(list["dependency"], "lambda");
    let plan = cut_off.send(&Request::post(&format!("{SYNC}?dryRun=true"))).await.expect(503).json();
    assert_eq!(plan["dependency"], "eventBridge");
    let sync = cut_off.send(&Request::post(SYNC)).await.expect(200).json();
    assert_eq!(sync["status"], "pending", "{sync}");
    bed.reconcile().await.unwrap();
    assert_eq!(bed.status().await, "synced");
}

/// Faults, row 24: the other rules still sync.
#[tokio::test]
async fn one_failed_rule_does_not_keep_the_others_from_syncing() {
    let bed = Bed::new().await;
    let mut value = schedule(&[("01:03", "01:04"), ("04:11", "04:12"), ("09:29", "09:30")]);
    value["timezone"] = json!("UTC");
    bed.bus.fail_action("PutRule", 2, Fault::AccessDenied);
    let saved = bed.save(&value).await;
    assert_eq!(saved["sync"]["status"], "pending");
    let outcomes: Vec<&str> =
        saved["sync"]["rules"].as_array().unwrap().iter().map(|rule| rule["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "failed").count(), 1, "{saved}");
    assert_eq!(bed.rules().len(), outcomes.len() - 1);
    bed.send(&Request::post(SYNC)).await.expect(200);
    assert_eq!(bed.status().await, "synced");
}

direct_and_through_pgbouncer!(a_crash_at_any_call_leaves_pending_and_the_next_run_converges);
/// Faults, row 23: the request's future is dropped at each call to AWS, as when the sandbox dies. The commit before stands, the
/// schedule counts as pending, and the next run converges to the same bus.
async fn a_crash_at_any_call_leaves_pending_and_the_next_run_converges(mode: ConnectionMode) {
    let clean = Bed::new().await;
    clean.save(&office()).await;
    let (wanted, calls) = (clean.rules(), clean.bus.call_count());
    let bed = Bed::by(mode).await;
    for call in 1..=calls {
        bed.arrange("update platform_rule_sync set lease_until = null").await;
        bed.bus.edit(BTreeMap::clear);
        bed.bus.forget_calls();
        bed.bus.fail_call(call, Fault::Hang);
        let sandbox = bed.another_sandbox();
        let put = Request::put(WARMING, &body(&office()));
        tokio::select! {
            answer = sandbox.send(&put) => panic!("call {call} did not hang: {answer:?}"),
            () = reached(&bed, call) => {}
        }
        assert_eq!(bed.status().await, "pending", "call {call}");
        bed.bus.heal();
        // The dead reconcile's lease ends by itself; the test does not wait for it.
        bed.arrange("update platform_rule_sync set lease_until = now() - interval '1 second'").await;
        assert_eq!(bed.reconcile().await.unwrap()["sync"]["status"], "synced", "call {call}");
        assert_eq!(bed.rules(), wanted, "call {call}");
    }
}

/// What went wrong with an earlier version says nothing about the one that is stored now.
#[tokio::test]
async fn a_save_that_is_not_synced_yet_does_not_show_the_error_of_the_one_before() {
    let bed = Bed::new().await;
    bed.bus.fail_always("PutRule", Fault::AccessDenied);
    bed.save(&office()).await;
    bed.bus.heal();
    bed.bus.forget_calls();
    bed.bus.fail_call(1, Fault::Hang);
    let (sandbox, put) = (bed.another_sandbox(), Request::put(WARMING, &body(&office())));
    tokio::select! {
        answer = sandbox.send(&put) => panic!("it did not hang: {answer:?}"),
        () = reached(&bed, 1) => {}
    }
    let shown = bed.send(&Request::get(WARMING)).await.expect(200).json()["sync"].clone();
    assert_eq!((&shown["status"], &shown["reason"]), (&json!("pending"), &json!("this version is not synced yet")));
}

async fn reached(bed: &Bed, call: usize) {
    while bed.bus.call_count() < call {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
