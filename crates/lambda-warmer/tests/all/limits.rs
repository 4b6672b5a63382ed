use std::time::Duration;

use lambda_warmer::settings::Settings;
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
    let report = &bed.tick().await["report"];
    assert_eq!(report["unique"], 3);
    for action in ["lambda:GetFunctionConcurrency", "lambda:GetAccountSettings"] {
        assert!(report["note"].as_str().unwrap().contains(&format!("{action} is denied")), "{report}");
    }
}

#[tokio::test]
async fn limits_that_cannot_be_read_leave_one_ping_per_function_until_they_can() {
    let bed = Bed::new().await;
    bed.lambda.add(function("orders").with_reserved_concurrency(4));
    bed.lambda.throttle("lambda:GetFunctionConcurrency");
    bed.always(json!([{"name": "orders", "concurrency": 3}])).await;
    let orders = bed.again().await;
    assert_eq!((&orders["unique"], &orders["cut"]), (&json!(1), &json!(true)));
    assert!(orders["note"].as_str().unwrap().contains("could not be asked"), "{orders}");

    bed.lambda.restore("lambda:GetFunctionConcurrency");
    assert_eq!(bed.again().await["unique"], 3);
    // What was read once stays in force where a later look fails.
    bed.lambda.throttle("lambda:GetFunctionConcurrency");
    assert_eq!(bed.again().await["unique"], 3);
}

#[tokio::test]
async fn lambda_is_asked_a_few_things_at_a_time_and_for_what_is_known_not_again() {
    let bed = Bed::new().await;
    let names: Vec<String> = (0..40).map(|i| format!("f{i:02}")).collect();
    for name in &names {
        bed.lambda.add(FakeFunction::new(name));
    }
    bed.always(json!(names)).await;
    bed.lambda.set_read_time(Duration::from_millis(20));
    bed.again().await;
    assert!(bed.lambda.max_reads() <= 8, "{} reads at once", bed.lambda.max_reads());
    let reads = |bed: &Bed| {
        let actions = ["GetFunctionConcurrency", "GetFunctionConfiguration", "GetAccountSettings"];
        actions.map(|action| bed.lambda.count(&format!("lambda:{action}")))
    };
    assert_eq!(reads(&bed), [40, 40, 1]);
    bed.again().await;
    assert_eq!(reads(&bed), [40, 40, 1]);
}

#[tokio::test]
async fn all_entries_of_a_function_share_its_reservation() {
    let bed = Bed::new().await;
    bed.lambda.add(function("orders").with_reserved_concurrency(6).with_qualifier("live"));
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:orders";
    bed.always(json!([{"name": "orders", "qualifier": "live", "concurrency": 5}, {"name": arn, "concurrency": 5}]))
        .await;
    for _ in 0..2 {
        let answer = bed.tick().await;
        assert_eq!(answer["report"]["status"], "done", "{answer}");
        assert_eq!(answer["report"]["throttled"], 0, "{answer}");
        bed.forget_ticks().await;
    }
    assert_eq!(bed.lambda.counters("orders").max_concurrency, 5);
    // The first entry goes first.
    let last = bed.lambda.counters("orders").qualifiers.split_off(12);
    assert_eq!(last, [vec![Some("live".to_owned()); 5], vec![None; 5]].concat());
}

#[tokio::test]
async fn no_more_pings_are_under_way_than_max_in_flight_reserved_or_not() {
    let mut bed = Bed::new().await;
    bed.restart_with(Settings { max_in_flight: 6, ..bed.settings() });
    bed.lambda.add(function("reserved").with_reserved_concurrency(100));
    bed.lambda.add(function("shared"));
    bed.always(json!([{"name": "reserved", "concurrency": 5}, {"name": "shared", "concurrency": 5}])).await;
    let answer = bed.tick().await;
    assert_eq!(answer["report"]["unique"], 10, "{answer}");
    assert!(bed.lambda.max_concurrency() <= 6, "{} at once", bed.lambda.max_concurrency());
}

#[tokio::test]
async fn reached_is_the_better_native_round_and_the_sum_of_others() {
    let throttled = Answer::Throttled("ConcurrentInvocationLimitExceeded");
    let bed = Bed::new().await;
    bed.lambda.add(function("orders"));
    bed.always(json!([{"name": "orders", "concurrency": 5}])).await;
    bed.again().await;
    // Two of five are refused in the first round, and two of five in the second.
    bed.lambda.answer_next("orders", 2, throttled.clone());
    bed.lambda.answer_next("orders", 3, Answer::Native);
    bed.lambda.answer_next("orders", 2, throttled.clone());
    let orders = bed.again().await;
    assert_eq!((&orders["reached"], &orders["throttled"]), (&json!(3), &json!(4)), "{orders}");

    bed.always(json!([{"name": "orders", "concurrency": 5, "payload": "lambda-warmer"}])).await;
    bed.lambda.answer_next("orders", 2, throttled.clone());
    bed.lambda.answer_next("orders", 3, Answer::Native);
    bed.lambda.answer_next("orders", 1, throttled);
    let orders = bed.again().await;
    assert_eq!((&orders["reached"], &orders["state"]), (&json!(4), &json!("short")), "{orders}");
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
