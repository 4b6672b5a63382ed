use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mgmt_testkit::database::{TestDatabase, WORKER_LOGIN};
use mgmt_testkit::flaky_proxy::{FlakyProxy, Traffic};
use mgmt_testkit::lambda_api::{Answer, FakeFunction};
use serde_json::json;

use crate::bed::Bed;

async fn bed() -> (Bed, FlakyProxy) {
    let database = TestDatabase::create().await;
    let url = database.url(WORKER_LOGIN);
    let proxy = FlakyProxy::to(&url).await;
    (Bed::with_url(database, proxy.url(&url)).await, proxy)
}

fn in_minutes(minutes: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_mins(minutes)
}

#[tokio::test]
async fn without_the_database_the_last_good_schedule_goes_on_and_is_marked_stale() {
    let (bed, proxy) = bed().await;
    bed.lambda.add(FakeFunction::new("orders"));
    bed.always(json!(["orders"])).await;

    proxy.set(Traffic::Cut);
    let error = bed.tick_at(Timestamp::now()).await.unwrap_err();
    assert!(error.contains("has seen no schedule yet"), "{error}");

    proxy.set(Traffic::Passes);
    assert_eq!(bed.tick().await["recorded"], true);

    proxy.set(Traffic::Cut);
    let later = in_minutes(1);
    let answer = bed.tick_at(later).await.unwrap();
    assert_eq!(
        (&answer["outcome"], &answer["stale"], &answer["recorded"]),
        (&json!("ran"), &json!(true), &json!(false))
    );
    assert!(answer["report"]["note"].as_str().unwrap().contains("the database was down"), "{answer}");
    assert_eq!(bed.lambda.counters("orders").invokes, 2);
    // The same tick again, still without a database: this sandbox knows that it ran.
    assert_eq!(bed.tick_at(later).await.unwrap()["outcome"], "alreadyClaimed");
    assert_eq!(bed.lambda.counters("orders").invokes, 2);
}

#[tokio::test]
async fn what_pings_taught_outlives_a_database_that_failed_during_the_run() {
    let (bed, proxy) = bed().await;
    let slow = Duration::from_millis(400);
    bed.lambda.add(FakeFunction::new("handler").answering(Answer::Raw(json!("real work"))).taking(slow));
    bed.lambda.add(FakeFunction::new("warm").taking(slow));
    bed.always(json!([{"name": "handler", "concurrency": 3}, {"name": "warm", "concurrency": 3}])).await;

    let cut_during_the_first_pings = async {
        while bed.lambda.counters("handler").invokes == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        proxy.set(Traffic::Cut);
    };
    let (answer, ()) = tokio::join!(bed.tick_at(in_minutes(0)), cut_during_the_first_pings);
    assert_eq!(answer.unwrap()["recorded"], false);

    let answer = bed.tick_at(in_minutes(1)).await.unwrap();
    assert_eq!(answer["stale"], true);
    assert_eq!(answer["report"]["functions"][0]["state"], "suspended", "{answer}");
    assert_eq!(answer["report"]["functions"][1]["state"], "warm", "{answer}");
    assert_eq!(bed.lambda.counters("handler").invokes, 1);
    // One ping alone and three together, then three without a first one.
    assert_eq!(bed.lambda.counters("warm").invokes, 7);
    assert_eq!(
        (&bed.row("handler").await["status"], &bed.row("warm").await["status"]),
        (&json!("probing"), &json!("probing"))
    );

    proxy.set(Traffic::Passes);
    assert_eq!(bed.tick_at(in_minutes(2)).await.unwrap()["recorded"], true);
    let handler = bed.row("handler").await;
    assert_eq!(handler["status"], "suspended");
    assert!(handler["reason"].as_str().unwrap().contains("it answered a text"), "{handler}");
    assert_eq!(bed.row("warm").await["status"], "proven");
    assert_eq!(bed.lambda.counters("handler").invokes, 1);
}

#[tokio::test]
async fn no_first_ping_is_sent_that_the_database_cannot_note() {
    let (bed, proxy) = bed().await;
    bed.lambda.add(FakeFunction::new("orders").answering(Answer::Raw(json!("real work"))));
    bed.always(json!([{"name": "orders", "concurrency": 2}])).await;
    bed.lambda.answer_next("orders", 2, Answer::Throttled("ConcurrentInvocationLimitExceeded"));
    bed.tick_at(in_minutes(0)).await.unwrap();
    let before = bed.lambda.counters("orders").invokes;

    proxy.set(Traffic::Cut);
    let answer = bed.tick_at(in_minutes(1)).await.unwrap();
    let orders = &answer["report"]["functions"][0];
    assert_eq!(orders["state"], "failed");
    assert!(orders["note"].as_str().unwrap().contains("the database could not note it"), "{orders}");
    assert_eq!(bed.lambda.counters("orders").invokes, before);

    // The claim reaches Postgres, its answer does not: the row is taken back, and the ping sent when it can be noted.
    proxy.set(Traffic::LosesCommits);
    bed.tick_at(in_minutes(2)).await.unwrap();
    assert_eq!(bed.lambda.counters("orders").invokes, before);
    proxy.set(Traffic::Passes);
    let answer = bed.tick_at(in_minutes(3)).await.unwrap();
    assert_eq!(answer["report"]["functions"][0]["state"], "suspended", "{answer}");
    assert_eq!(bed.lambda.counters("orders").invokes, before + 1);
}
