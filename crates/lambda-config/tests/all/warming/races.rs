//! Faults, row 27: several reconciles of one schedule.

use std::collections::BTreeMap;
use std::time::Duration;

use mgmt_testkit::database::ConnectionMode;
use mgmt_testkit::direct_and_through_pgbouncer;
use mgmt_testkit::eventbridge::Fault;
use mgmt_testkit::gateway::Request;
use serde_json::{Value, json};

use crate::bed::{Bed, SYNC, WARMING};
use crate::values::{body, hours, office};

direct_and_through_pgbouncer!(of_two_syncs_at_once_one_does_the_work);
/// Faults, row 27.
async fn of_two_syncs_at_once_one_does_the_work(mode: ConnectionMode) {
    let bed = Bed::by(mode).await;
    bed.save(&office()).await;
    bed.bus.edit(BTreeMap::clear);
    bed.bus.forget_calls();
    let sync = Request::post(SYNC);
    let (one, other, hourly) = tokio::join!(bed.send(&sync), bed.send(&sync), bed.reconcile());
    for answer in [one.expect(200).json(), other.expect(200).json(), hourly.unwrap()["sync"].clone()] {
        assert_eq!(answer["status"], "synced", "{answer}");
    }
    assert_eq!(bed.bus.count("PutRule"), bed.rules().len());
    assert_eq!(bed.status().await, "synced");
}

#[tokio::test]
async fn a_sync_that_finds_another_at_work_says_so() {
    let bed = Bed::new().await;
    bed.save(&office()).await;
    bed.arrange("update platform_rule_sync set lease_holder = 'somebody', lease_until = now() + interval '1 minute'")
        .await;
    bed.bus.forget_calls();
    let answer = bed.send(&Request::post(SYNC)).await.expect(200).json();
    assert_eq!((&answer["status"], &answer["rules"]), (&json!("pending"), &json!([])));
    assert!(answer["reason"].as_str().unwrap().contains("another reconcile"), "{answer}");
    assert_eq!(bed.bus.call_count(), 0);
}

direct_and_through_pgbouncer!(a_save_during_a_sync_is_picked_up);
/// The first save's sync is still at work when the second save commits: it goes another round, and the second one's answer is
/// synced or tells that somebody is at work.
async fn a_save_during_a_sync_is_picked_up(mode: ConnectionMode) {
    let bed = Bed::by(mode).await;
    bed.bus.fail_call(1, Fault::Hang);
    let first = Request::put(WARMING, &body(&hours(&[1])));
    let second = async {
        while bed.bus.call_count() < 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bed.save(&hours(&[2, 4])).await
    };
    let (first, second) = tokio::join!(bed.send(&first), second);
    first.expect(200);
    assert_eq!(second["config"]["configValue"], hours(&[2, 4]));
    let config = bed.send(&Request::get(WARMING)).await.expect(200).json();
    assert_eq!(
        (&config["sync"]["status"], &config["sync"]["appliedVersion"]),
        (&json!("synced"), &json!(3)),
        "{config}"
    );
    let expressions: Vec<String> = bed.rules().into_iter().filter_map(|(_, rule)| rule.expression).collect();
    assert!(expressions.iter().all(|expression| !expression.contains(" 1 ")), "{expressions:?}");
}

/// The answer to a save shows what was saved, under its own version, also when somebody else saved during its sync.
#[tokio::test]
async fn an_answer_never_pairs_one_save_with_the_version_of_another() {
    let bed = Bed::new().await;
    bed.bus.fail_call(1, Fault::Hang);
    let first = Request::put(WARMING, &body(&hours(&[1])));
    let other = async {
        while bed.bus.call_count() < 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bed.arrange("update platform_lambda_config set description = 'by another admin'").await;
    };
    let (answer, ()) = tokio::join!(bed.send(&first), other);
    assert_eq!(answer.header("etag"), "\"2\"");
    let config = answer.expect(200).json()["config"].clone();
    assert_eq!((&config["rowVersion"], &config["configValue"]), (&json!(2), &hours(&[1])));
    assert_ne!(config["description"], "by another admin");
    let stale = Request::put(WARMING, &body(&office())).header("if-match", "\"2\"");
    bed.send(&stale).await.expect(412);
}

/// A sync whose lease ran out writes no result over its successor's.
/// Faults, row 27.
#[tokio::test]
async fn an_old_generation_cannot_overwrite_the_result_of_a_newer_one() {
    let bed = Bed::new().await;
    bed.save(&office()).await;
    bed.bus.forget_calls();
    bed.bus.fail_call(1, Fault::Hang);
    let sandbox = bed.another_sandbox();
    let sync = Request::post(SYNC);
    let newer = async {
        while bed.bus.call_count() < 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bed.arrange("update platform_rule_sync set lease_until = now() - interval '1 second'").await;
        bed.bus.fail_always("ListRules", Fault::AccessDenied);
        let newer = bed.send(&sync).await.expect(200).json();
        bed.bus.heal();
        newer
    };
    let (older, newer) = tokio::join!(sandbox.send(&sync), newer);
    assert_eq!((&newer["status"], &older.expect(200).json()["status"]), (&json!("pending"), &json!("synced")));
    let state: Value =
        serde_json::from_str(&bed.look("select to_jsonb(s)::text from platform_rule_sync s").await).unwrap();
    assert_eq!((&state["status"], &state["generation"]), (&json!("pending"), &json!(3)), "{state}");
    assert!(state["last_error"].as_str().unwrap().contains("AccessDenied"), "{state}");
}

/// A save commits in the very moment in which a sync writes its result: the row must not say synced for a version that the
/// rules do not follow.
#[tokio::test]
async fn a_save_that_commits_while_a_sync_finishes_is_not_marked_synced() {
    let bed = Bed::new().await;
    bed.save(&hours(&[1])).await;
    let mut admin = bed.database.admin().await;
    bed.bus.forget_calls();
    bed.bus.fail_call(1, Fault::Hang);
    let sync = Request::post(SYNC);
    let saving = async {
        while bed.bus.call_count() < 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let tx = admin.transaction().await.unwrap();
        let value = hours(&[5]).to_string();
        tx.batch_execute(&format!(
            "update platform_lambda_config set config_value = '{value}' where config_key = 'lambda_warming';
             update platform_rule_sync set status = 'pending'"
        ))
        .await
        .unwrap();
        // The hanging call ends after four seconds; the sync then waits for this transaction.
        let waiting =
            "select count(*) > 0 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        while !tx.query_one(waiting, &[]).await.unwrap().get::<_, bool>(0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tx.commit().await.unwrap();
    };
    let (answer, ()) = tokio::join!(bed.send(&sync), saving);
    answer.expect(200);
    let state: Value =
        serde_json::from_str(&bed.look("select to_jsonb(s)::text from platform_rule_sync s").await).unwrap();
    assert_eq!(
        (&state["status"], &state["applied_version"]),
        (&json!("synced"), &json!(3)),
        "the new save was picked up: {state}"
    );
}
