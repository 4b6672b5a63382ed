//! Faults, rows 17 to 20: the database is down, slow, read-only or in each other's way.

use std::time::{Duration, Instant};

use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase, WORKER_LOGIN};
use mgmt_testkit::flaky_proxy::{FlakyProxy, Traffic};
use mgmt_testkit::gateway::{Request, Who};
use serde_json::{Value, json};

use crate::bed::{BATCH, Bed, ONE, STATS};
use crate::values::{event, message};

async fn wired() -> (Bed, FlakyProxy) {
    let database = TestDatabase::create().await;
    let proxy = FlakyProxy::to(&database.url(REQUEST_LOGIN)).await;
    let urls = (proxy.url(&database.url(REQUEST_LOGIN)), proxy.url(&database.url(WORKER_LOGIN)));
    (Bed::with_urls(database, urls), proxy)
}

fn post(numbers: std::ops::Range<u64>) -> Request {
    let events: Vec<Value> = numbers.map(event).collect();
    Request::post(BATCH).json(&json!({ "events": events })).by(Who::Member)
}

/// Faults, row 17. Each request waits three seconds, so fewer of them meet it.
#[tokio::test]
async fn a_silent_database_is_503_inside_five_seconds_and_recovers() {
    is_503_and_recovers(Traffic::Silent, 2).await;
}

/// Faults, row 17.
#[tokio::test]
async fn a_cut_off_database_is_503_inside_five_seconds_and_recovers() {
    is_503_and_recovers(Traffic::Cut, 4).await;
}

async fn is_503_and_recovers(down: Traffic, requests: usize) {
    let (bed, proxy) = wired().await;
    proxy.set(down);
    let one = json!({"eventType": "api_call", "status": "success"});
    let all = [post(0..2), Request::get(STATS), Request::get(BATCH), Request::post(ONE).json(&one)];
    for request in all.into_iter().take(requests) {
        let started = Instant::now();
        let answer = bed.send(&request).await.expect(503);
        assert!(started.elapsed() < Duration::from_secs(5), "took {:?}", started.elapsed());
        assert_eq!(answer.json()["dependency"], "database");
    }
    assert!(bed.maintain().await.is_err());
    proxy.set(Traffic::Passes);
    bed.send(&Request::get(STATS)).await.expect(200);
    assert_eq!(bed.counted().await, (0, 0, 0));
}

/// Faults, row 18.
#[tokio::test]
async fn a_lost_commit_is_503_and_the_same_batch_again_is_all_duplicates() {
    let (bed, proxy) = wired().await;
    proxy.set(Traffic::LosesCommits);
    bed.send(&post(0..10)).await.expect(503);
    proxy.set(Traffic::Passes);
    assert_eq!(bed.counted().await, (10, 10, 0));
    assert_eq!(bed.send(&post(0..11)).await.expect(200).json()["duplicates"], 10);
    assert_eq!(bed.counted().await, (11, 11, 0));
}

/// Faults, rows 19 and 20.
#[tokio::test]
async fn a_locked_or_read_only_database_is_503_and_counts_nothing() {
    let bed = Bed::new().await;
    let admin = bed.database.admin().await;
    admin.batch_execute("begin; lock table platform_module_usage_daily in share mode").await.unwrap();
    let started = Instant::now();
    bed.send(&post(0..3)).await.expect(503);
    assert!(started.elapsed() < Duration::from_secs(5));
    admin.batch_execute("rollback").await.unwrap();
    assert_eq!(bed.counted().await, (0, 0, 0));

    bed.arrange(&format!("alter database {} set default_transaction_read_only = on", bed.database.name)).await;
    let standby =
        Bed::with_urls(TestDatabase::create().await, (bed.database.url(REQUEST_LOGIN), bed.database.url(WORKER_LOGIN)));
    standby.send(&post(0..3)).await.expect(503);
    let answer = standby.deliver(&[message("org-a", "u", &event(1))]).await;
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "m-0"}]}));
    standby.send(&Request::get(STATS)).await.expect(200);
    assert_eq!(bed.counted().await, (0, 0, 0));
}

/// Rows 19 and 36: writers with the same events in opposite orders wait for each other; none of them fails.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_duplicates_in_any_order_neither_deadlock_nor_count_twice() {
    let bed = std::sync::Arc::new(Bed::new().await);
    let writers = (0..6_u64).map(|writer| {
        let bed = std::sync::Arc::clone(&bed);
        tokio::spawn(async move {
            let mut accepted = 0;
            for round in 0..10_u64 {
                let mut events: Vec<Value> = (round * 50..round * 50 + 100).map(event).collect();
                if writer % 2 == 1 {
                    events.reverse();
                }
                events.rotate_left(usize::try_from(writer * 7).unwrap());
                accepted += bed.count(&events).await["accepted"].as_u64().unwrap();
            }
            accepted
        })
    });
    let mut accepted = 0;
    for writer in writers.collect::<Vec<_>>() {
        accepted += writer.await.unwrap();
    }
    assert_eq!((accepted, bed.counted().await), (550, (550, 550, 0)));
}

/// A rebuild and writers of the same day do not lose each other's events.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_rebuilt_while_events_of_it_arrive() {
    let bed = std::sync::Arc::new(Bed::new().await);
    let writing = std::sync::Arc::clone(&bed);
    let writer = tokio::spawn(async move {
        for round in 0..40_u64 {
            let events: Vec<Value> = (round * 20..round * 20 + 20).map(event).collect();
            assert_eq!(writing.count(&events).await["accepted"], 20);
        }
    });
    let admin = bed.database.admin().await;
    while !writer.is_finished() {
        admin.query("select module_mgmt.rebuild_usage(day) from (select distinct usage_date as day from platform_module_usage_daily) days", &[]).await.unwrap();
    }
    writer.await.unwrap();
    assert_eq!(bed.counted().await, (800, 800, 0));
}

#[tokio::test]
async fn an_old_schema_is_503_and_names_no_object() {
    let bed = Bed::new().await;
    bed.arrange("alter function module_mgmt.usage_states(text[]) rename to gone").await;
    assert_eq!(bed.send(&post(0..1)).await.expect(503).code(), "schema_too_old");
}
