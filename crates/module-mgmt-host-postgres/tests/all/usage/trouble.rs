//! A database that is gone, hangs, or loses an answer: no request waits longer than the recorder's patience.

use std::time::{Duration, Instant};

use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase};
use mgmt_testkit::flaky_proxy::{FlakyProxy, Traffic};
use module_mgmt_host::usage::{DEFAULT_PATIENCE, UsageSink as _};

use super::{DAILY, RAW, answer, handled, look, message, recorder, registered, sink};
use crate::clock::TestClock;

/// What the handler takes, and what a loaded machine may add; without a limit, the doors would wait for more than four seconds.
const MARGIN: Duration = Duration::from_secs(2);

async fn proxied() -> (TestDatabase, FlakyProxy, String) {
    let database = registered().await;
    let url = database.url(REQUEST_LOGIN);
    let proxy = FlakyProxy::to(&url).await;
    let url = proxy.url(&url);
    (database, proxy, url)
}

#[tokio::test]
async fn without_the_database_a_request_is_answered_in_time_and_its_use_is_unsent() {
    let patience = Duration::from_secs(1);
    for wire in [Traffic::Cut, Traffic::Silent] {
        for connected_before in [false, true] {
            let (database, proxy, url) = proxied().await;
            let clock = TestClock::new();
            let recorder = recorder("module-orders", sink(url), patience).clock(clock.clone());
            if connected_before {
                handled(&recorder, "org-a", "u1", &answer()).await;
            }
            proxy.set(wire);
            let began = Instant::now();
            assert_eq!(handled(&recorder, "org-a", "u1", &answer()).await, answer());
            let took = began.elapsed();
            assert!(took < patience + MARGIN, "{wire:?}: {took:?}");
            assert_eq!(recorder.unsent(), 1, "{wire:?}");

            // The one that was given up left nothing behind that the next would trip over. It may arrive itself.
            proxy.set(Traffic::Passes);
            let mut sent = 1 + usize::from(connected_before);
            let counted = loop {
                clock.advance(30);
                handled(&recorder, "org-a", "u1", &answer()).await;
                sent += 1;
                tokio::time::sleep(Duration::from_millis(200)).await;
                let counted = look(&database, RAW).await.len();
                if counted > usize::from(connected_before) || began.elapsed() > Duration::from_secs(30) {
                    break counted;
                }
            };
            assert_eq!(counted, sent - usize::try_from(recorder.unsent()).unwrap(), "{wire:?}");
        }
    }
}

#[tokio::test]
async fn a_database_that_hangs_holds_one_response_for_150_ms_and_no_other() {
    let (database, proxy, url) = proxied().await;
    let clock = TestClock::new();
    let recorder = recorder("module-orders", sink(url), DEFAULT_PATIENCE).clock(clock.clone());
    proxy.set(Traffic::Silent);
    let began = Instant::now();
    handled(&recorder, "org-a", "u1", &answer()).await;
    let first = began.elapsed();
    assert!((DEFAULT_PATIENCE..DEFAULT_PATIENCE + MARGIN).contains(&first), "{first:?}");
    // Each takes the handler's 20 ms; two hundred that wait take half a minute more.
    let began = Instant::now();
    for _ in 0..200 {
        handled(&recorder, "org-a", "u1", &answer()).await;
        clock.advance(3);
    }
    let others = began.elapsed();
    assert!(others < Duration::from_secs(20), "{others:?}");
    assert_eq!((recorder.unsent(), look(&database, RAW).await.len()), (201, 0));
}

/// The sink is asked at once, before anything could notice that its connection has ended, as in a sandbox that was frozen meanwhile.
#[tokio::test]
async fn a_sandbox_that_thaws_with_a_dead_connection_counts_on_a_new_one() {
    let (database, proxy, url) = proxied().await;
    let sink = sink(url);
    assert_eq!(sink.send(&message("org-a", "u1")).await, Ok(()));
    let next = message("org-a", "u1");
    proxy.set(Traffic::Cut);
    proxy.set(Traffic::Passes);
    assert_eq!(sink.send(&next).await, Ok(()));
    assert_eq!(look(&database, RAW).await.len(), 2);
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_repeated_and_counts_once() {
    let (database, proxy, url) = proxied().await;
    proxy.set(Traffic::LosesCommits);
    // Holds the sink in the statement before its commit, until the wire is as it should be for the second try.
    let admin = database.admin().await;
    admin.batch_execute("begin; lock table platform_module_usage in share mode").await.unwrap();
    let sending = tokio::spawn(async move { sink(url).send(&message("org-a", "u1")).await });
    let waiting = "select count(*) from pg_locks where not granted and database = (select oid from pg_database
        where datname = current_database())";
    while admin.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    proxy.set(Traffic::Passes);
    admin.batch_execute("commit").await.unwrap();
    assert_eq!(sending.await.unwrap(), Ok(()));
    assert_eq!(look(&database, RAW).await, ["org-a|u1|module-orders|export|http|success"]);
    assert_eq!(look(&database, DAILY).await, ["org-a|module-orders|export|http|1|1|0|1"]);
}
