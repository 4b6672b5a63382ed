use std::time::Duration;

use mgmt_testkit::lambda_api::{Answer, FakeFunction};
use serde_json::json;

use crate::bed::Bed;

fn function(name: &str) -> FakeFunction {
    FakeFunction::new(name).taking(Duration::from_millis(10))
}

#[tokio::test]
async fn pings_stay_below_a_functions_reserved_concurrency() {
    let bed = Bed::new().await;
    bed.lambda.add(function("reserved").with_reserved_concurrency(4));
    bed.lambda.add(function("single").with_reserved_concurrency(1));
    bed.always(json!([{"name": "reserved", "concurrency": 10}, "single"])).await;
    let answer = bed.tick().await;
    assert_eq!(bed.lambda.counters("reserved").max_concurrency, 3);
    assert_eq!(bed.lambda.counters("single").invokes, 0);
    let reserved = &answer["report"]["functions"][0];
    assert_eq!((&reserved["asked"], &reserved["unique"], &reserved["cut"]), (&json!(10), &json!(3), &json!(true)));
    assert!(reserved["note"].as_str().unwrap().contains("only 3 of 10 pings"), "{reserved}");
    assert_eq!(answer["report"]["status"], "cut");
}

#[tokio::test]
async fn a_run_never_takes_more_than_half_of_what_the_account_has_left() {
    let bed = Bed::new().await;
    bed.lambda.set_account_concurrency(10, 10);
    for name in ["a", "b", "c"] {
        bed.lambda.add(function(name));
    }
    bed.always(
        json!([{"name": "a", "concurrency": 8}, {"name": "b", "concurrency": 3}, {"name": "c", "concurrency": 3}]),
    )
    .await;
    let answer = bed.tick().await;
    let unique = |index: usize| answer["report"]["functions"][index]["unique"].as_u64().unwrap();
    // a does not fit and is cut to five; b and c wait for their turn and are warmed in full.
    assert_eq!([unique(0), unique(1), unique(2)], [5, 3, 3], "{answer}");
    assert_eq!(answer["report"]["status"], "cut");
    assert!(answer["report"]["note"].as_str().unwrap().contains("10 unreserved instances"), "{answer}");
    assert!(bed.lambda.max_concurrency() <= 5);
}

#[tokio::test]
async fn a_throttled_function_is_asked_once_more_and_the_report_says_so() {
    let bed = Bed::new().await;
    bed.lambda.add(function("orders"));
    bed.always(json!([{"name": "orders", "concurrency": 3}])).await;
    bed.tick().await;
    bed.forget_ticks().await;
    bed.lambda.answer_next("orders", 2, Answer::Throttled("ConcurrentInvocationLimitExceeded"));
    let answer = bed.tick().await;
    let orders = &answer["report"]["functions"][0];
    assert_eq!((&orders["throttled"], &orders["unique"], &orders["state"]), (&json!(2), &json!(3), &json!("warm")));

    // Throttled for good: two rounds and no more.
    bed.forget_ticks().await;
    let before = bed.lambda.count("lambda:InvokeFunction");
    bed.lambda.answer_next("orders", 100, Answer::Throttled("ConcurrentInvocationLimitExceeded"));
    let answer = bed.tick().await;
    assert_eq!(bed.lambda.count("lambda:InvokeFunction") - before, 6);
    let orders = &answer["report"]["functions"][0];
    assert_eq!((&orders["reached"], &orders["unique"], &orders["throttled"]), (&json!(0), &json!(0), &json!(6)));
    assert_eq!(answer["report"]["status"], "failed");
}

#[tokio::test]
async fn pings_go_on_when_lambda_does_not_tell_the_limits() {
    let bed = Bed::new().await;
    bed.lambda.add(function("orders"));
    bed.lambda.deny("lambda:GetFunctionConcurrency");
    bed.lambda.deny("lambda:GetAccountSettings");
    bed.always(json!([{"name": "orders", "concurrency": 3}])).await;
    assert_eq!(bed.tick().await["report"]["unique"], 3);
}

#[tokio::test]
async fn two_hundred_copies_are_proven_in_one_run() {
    let bed = Bed::new().await;
    let names: Vec<String> = (0..20).map(|i| format!("f{i:02}")).collect();
    for name in &names {
        bed.lambda.add(FakeFunction::new(name).taking(Duration::from_millis(50)));
    }
    let entries: Vec<_> = names.iter().map(|name| json!({"name": name, "concurrency": 10})).collect();
    bed.always(json!(entries)).await;
    let answer = bed.tick().await;
    let instances: usize = names.iter().map(|name| bed.lambda.counters(name).instances).sum();
    assert_eq!(answer["report"]["unique"].as_u64().unwrap() as usize, instances);
    assert_eq!(instances, 200);
}
