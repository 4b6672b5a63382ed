//! Faults, rows 17 and 19: the database is down, slow or read-only.

use std::time::{Duration, Instant};

use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase, WORKER_LOGIN};
use mgmt_testkit::flaky_proxy::{FlakyProxy, Traffic};
use mgmt_testkit::gateway::Request;
use serde_json::{Value, json};

use crate::bed::{Bed, SYNC, WARMING};
use crate::values::{body, hours, office};

async fn wired() -> (Bed, FlakyProxy) {
    let database = TestDatabase::create().await;
    let proxy = FlakyProxy::to(&database.url(REQUEST_LOGIN)).await;
    let urls = (proxy.url(&database.url(REQUEST_LOGIN)), proxy.url(&database.url(WORKER_LOGIN)));
    (Bed::with_urls(database, urls).await, proxy)
}

/// Faults, row 17. Each request waits three seconds, so fewer of them meet it.
#[tokio::test]
async fn a_silent_database_is_503_inside_five_seconds_and_recovers_without_a_restart() {
    is_503_and_recovers(Traffic::Silent, 3).await;
}

/// Faults, row 17.
#[tokio::test]
async fn a_cut_off_database_is_503_inside_five_seconds_and_recovers_without_a_restart() {
    is_503_and_recovers(Traffic::Cut, 7).await;
}

async fn is_503_and_recovers(down: Traffic, requests: usize) {
    let (bed, proxy) = wired().await;
    bed.save(&office()).await;
    proxy.set(down);
    bed.bus.forget_calls();
    let all = [
        Request::get("/platform/lambda-config"),
        Request::put(WARMING, &body(&office())),
        Request::post(SYNC),
        Request::put("/platform/lambda-config/theme", &body(&json!(1))),
        Request::get(WARMING),
        Request::get("/platform/lambda-functions"),
        Request::get("/platform/lambda-warming/runs"),
    ];
    for request in all.into_iter().take(requests) {
        let started = Instant::now();
        let answer = bed.send(&request).await.expect(503);
        assert!(started.elapsed() < Duration::from_secs(5), "{request:?} took {:?}", started.elapsed());
        assert_eq!(answer.json()["dependency"], "database", "{answer:?}");
    }
    bed.send(&Request::get("/platform/health")).await.expect(503);
    assert!(bed.reconcile().await.is_err());
    assert_eq!(bed.bus.writes(), 0, "nothing is written to the bus without knowing the schedule");

    proxy.set(Traffic::Passes);
    bed.send(&Request::get("/platform/health")).await.expect(200);
    let configs = bed.send(&Request::get("/platform/lambda-config")).await.expect(200).json();
    assert_eq!((configs.as_array().unwrap().len(), &configs[0]["rowVersion"]), (1, &json!(2)));
    assert_eq!(bed.send(&Request::post(SYNC)).await.expect(200).json()["status"], "synced");
}

/// The first request after a thaw meets a connection that died meanwhile.
#[tokio::test]
async fn a_connection_that_died_while_frozen_does_not_make_the_database_look_down() {
    let (bed, proxy) = wired().await;
    for request in [Request::get("/platform/health"), Request::get(WARMING)] {
        bed.send(&request).await.expect(200);
        proxy.set(Traffic::Cut);
        proxy.set(Traffic::Passes);
        bed.send(&request).await.expect(200);
    }
}

#[tokio::test]
async fn a_write_on_a_connection_that_died_while_frozen_is_done_once() {
    let (bed, proxy) = wired().await;
    let put = Request::put("/platform/lambda-config/theme", &body(&json!(1)));
    bed.send(&put).await.expect(201);
    proxy.set(Traffic::Cut);
    proxy.set(Traffic::Passes);
    assert_eq!(bed.send(&put).await.expect(200).header("etag"), "\"2\"");
}

/// The save has committed when the database goes: the answer says what was saved, and that its rules are pending.
#[tokio::test]
async fn a_database_that_goes_after_the_commit_does_not_make_the_save_look_failed() {
    let (bed, proxy) = wired().await;
    bed.bus.fail_call(1, mgmt_testkit::eventbridge::Fault::Hang);
    let cutting = async {
        while bed.bus.call_count() < 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        proxy.set(Traffic::Cut);
    };
    let put = Request::put(WARMING, &body(&office()));
    let (answer, ()) = tokio::join!(bed.send(&put), cutting);
    let answer = answer.expect(200).json();
    assert_eq!(
        (&answer["sync"]["status"], &answer["config"]["sync"]["status"]),
        (&json!("pending"), &json!("pending"))
    );
    assert_eq!((&answer["config"]["configValue"], &answer["config"]["rowVersion"]), (&office(), &json!(2)));
    let reason = answer["sync"]["reason"].as_str().unwrap();
    assert!(reason.contains("the database does not answer") && !reason.contains("127.0.0.1"), "{reason}");
    proxy.set(Traffic::Passes);
    assert_eq!(bed.status().await, "pending");
    bed.arrange("update platform_rule_sync set lease_until = now() - interval '1 second'").await;
    assert_eq!(bed.reconcile().await.unwrap()["sync"]["status"], "synced");
}

/// The answer to the commit is lost: the client hears 503, the save stands, its rules count as pending, and sending it again has
/// no second effect under If-Match.
/// Faults, row 18.
#[tokio::test]
async fn a_lost_commit_is_503_and_safe_to_repeat() {
    let (bed, proxy) = wired().await;
    bed.save(&office()).await;
    proxy.set(Traffic::LosesCommits);
    let put = Request::put(WARMING, &body(&hours(&[1]))).header("if-match", "\"2\"");
    let lost = bed.send(&put).await.expect(503);
    assert!(lost.json()["detail"].as_str().unwrap().ends_with("the request may be sent again"), "{lost:?}");
    proxy.set(Traffic::Passes);
    let stored = bed.send(&Request::get(WARMING)).await.expect(200).json();
    assert_eq!((&stored["configValue"], &stored["rowVersion"]), (&hours(&[1]), &json!(3)));
    assert_eq!(stored["sync"]["status"], "pending");
    let again = bed.send(&put).await.expect(412).json();
    assert_eq!((&again["currentEtag"], &again["changed"]), (&json!("\"3\""), &json!([])), "it is what was sent");
    // The lost commit has taken the lease too, which ends by itself.
    let held = bed.reconcile().await.unwrap();
    assert_eq!((&held["sync"]["status"], &held["configVersion"]), (&json!("pending"), &Value::Null));
    bed.arrange("update platform_rule_sync set lease_until = now() - interval '1 second'").await;
    assert_eq!(bed.reconcile().await.unwrap()["sync"]["status"], "synced");
}

/// Begin, lock, write, pending, lease, commit; and when the rules follow: begin, wait, write, commit.
#[tokio::test]
async fn saving_a_schedule_is_ten_round_trips() {
    let (bed, proxy) = wired().await;
    bed.save(&office()).await;
    let before = proxy.round_trips();
    let saved = bed.send(&Request::put(WARMING, &body(&hours(&[1])))).await.expect(200).json();
    assert_eq!(saved["sync"]["status"], "synced", "{saved}");
    assert_eq!(proxy.round_trips() - before, 10);
}

/// Faults, rows 19 and 20.
#[tokio::test]
async fn a_locked_or_read_only_database_is_503_and_stores_nothing() {
    let bed = Bed::new().await;
    let admin = bed.database.admin().await;
    admin.batch_execute("begin; lock table platform_lambda_config in share mode").await.unwrap();
    let put = Request::put(WARMING, &body(&office()));
    let started = Instant::now();
    bed.send(&put).await.expect(503);
    assert!(started.elapsed() < Duration::from_secs(5));
    admin.batch_execute("rollback").await.unwrap();

    bed.arrange(&format!("alter database {} set default_transaction_read_only = on", bed.database.name)).await;
    let standby = bed.another_sandbox();
    standby.send(&put).await.expect(503);
    standby.send(&Request::get(WARMING)).await.expect(200);
    assert_eq!(bed.send(&Request::get(WARMING)).await.json()["rowVersion"], 1);
    assert_eq!(bed.bus.writes(), 0);
}

/// A function that is newer than the schema says so in its log and nothing to the client.
#[tokio::test]
async fn an_old_schema_is_503_and_names_no_object() {
    let bed = Bed::new().await;
    bed.arrange("alter table platform_warming_run rename to platform_warming_run_gone").await;
    let answer = bed.send(&Request::get("/platform/lambda-warming/runs")).await.expect(503);
    assert_eq!(answer.code(), "schema_too_old");
    assert!(!answer.body.contains("platform_warming_run"), "{}", answer.body);
}
