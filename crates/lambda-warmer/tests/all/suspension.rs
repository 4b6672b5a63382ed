use std::time::Duration;

use mgmt_testkit::lambda_api::{Answer, FakeFunction};
use serde_json::json;

use crate::bed::Bed;

#[tokio::test]
async fn a_ping_never_runs_a_real_handler_twice() {
    let check = async |what: &str, answer: Answer| {
        let bed = Bed::new().await;
        bed.lambda.add(FakeFunction::new("handler").answering(answer));
        bed.always(json!([{"name": "handler", "concurrency": 5}])).await;
        for round in 0..3 {
            let answer = bed.tick().await;
            assert_eq!(answer["report"]["functions"][0]["state"], "suspended", "{what} round {round}: {answer}");
            assert_eq!(bed.lambda.counters("handler").invokes, 1, "{what} round {round}");
            bed.forget_ticks().await;
        }
    };
    check("an answer of its own", Answer::Raw(json!({"statusCode": 200}))).await;
    check("an error of its own", Answer::FunctionError(json!({"errorMessage": "boom"}))).await;
}

#[tokio::test]
async fn a_suspended_function_is_tried_again_when_its_entry_changes() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("handler").answering(Answer::Raw(json!("real work"))));
    bed.always(json!([{"name": "handler", "concurrency": 2}])).await;
    bed.tick().await;
    bed.forget_ticks().await;
    // Asking for more copies of the same entry is no reason to try again.
    bed.always(json!([{"name": "handler", "concurrency": 3}])).await;
    bed.tick().await;
    assert_eq!(bed.lambda.counters("handler").invokes, 1);
    bed.forget_ticks().await;
    bed.always(json!([{"name": "handler", "concurrency": 3, "payload": {"warmup": true}}])).await;
    let answer = bed.tick().await;
    assert_eq!(answer["report"]["reached"], 3, "{answer}");
    assert_eq!(bed.lambda.counters("handler").invokes, 4);
}

#[tokio::test]
async fn other_code_behind_a_suspended_function_is_probed_once_and_then_warmed() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("handler").answering(Answer::Raw(json!("real work"))));
    bed.always(json!([{"name": "handler", "concurrency": 3}])).await;
    bed.tick().await;
    bed.forget_ticks().await;
    bed.lambda.add(FakeFunction::new("handler").with_code("with the warm layer").taking(Duration::from_millis(5)));
    let answer = bed.tick().await;
    assert_eq!((&answer["report"]["unique"], &answer["report"]["status"]), (&json!(3), &json!("done")), "{answer}");
}

#[tokio::test]
async fn what_is_only_unreachable_is_not_suspended() {
    let bed = Bed::new().await;
    let throttled = Answer::Throttled("ConcurrentInvocationLimitExceeded");
    for (name, answer) in [("denied", Answer::AccessDenied), ("gone", Answer::NotFound), ("busy", throttled)] {
        bed.lambda.add(FakeFunction::new(name).answering(answer));
    }
    bed.always(json!(["denied", "gone", "busy"])).await;
    let answer = bed.tick().await;
    for function in answer["report"]["functions"].as_array().unwrap() {
        assert_eq!(function["state"], "failed", "{function}");
        assert_eq!(bed.row(function["name"].as_str().unwrap()).await, json!(null));
    }
    assert_eq!(answer["report"]["status"], "failed");
}

#[tokio::test]
async fn a_first_ping_of_which_nobody_knows_what_it_ran_is_not_repeated() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("down").answering(Answer::ServerError));
    bed.lambda.add(FakeFunction::new("lost").answering(Answer::LostResponse));
    bed.always(json!(["down", "lost"])).await;
    for _ in 0..2 {
        for function in bed.tick().await["report"]["functions"].as_array().unwrap() {
            assert_eq!(function["state"], "suspended", "{function}");
            assert_eq!(bed.lambda.counters(function["name"].as_str().unwrap()).invokes, 1);
        }
        bed.forget_ticks().await;
    }
}

#[tokio::test]
async fn a_throttled_first_ping_backs_off_and_is_sent_once_more() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders"));
    bed.always(json!([{"name": "orders", "concurrency": 3}])).await;
    bed.lambda.answer_next("orders", 1, Answer::Throttled("ConcurrentInvocationLimitExceeded"));
    let begin = std::time::Instant::now();
    let orders = bed.again().await;
    assert!(begin.elapsed() >= Duration::from_millis(700), "back-off and hold took only {:?}", begin.elapsed());
    assert_eq!((&orders["state"], &orders["unique"], &orders["throttled"]), (&json!("warm"), &json!(3), &json!(1)));
    assert_eq!(bed.lambda.counters("orders").invokes, 5);
}

#[tokio::test]
async fn a_proven_function_deployed_without_the_layer_runs_its_handler_once() {
    let mut bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders"));
    bed.always(json!([{"name": "orders", "concurrency": 5}])).await;
    assert_eq!(bed.again().await["state"], "warm");
    assert_eq!(bed.row("orders").await["code_sha256"], "sha256-of-orders");

    bed.lambda.redeploy(FakeFunction::new("orders").with_code("bare").answering(Answer::Raw(json!("real work"))));
    bed.restart();
    for _ in 0..2 {
        assert_eq!(bed.again().await["state"], "suspended");
        assert_eq!(bed.lambda.counters("orders").handled, 1);
    }

    // The layer comes back: one ping alone, then all.
    bed.lambda.redeploy(FakeFunction::new("orders").with_code("layered"));
    let before = bed.lambda.counters("orders").invokes;
    assert_eq!(bed.again().await["unique"], 5);
    assert_eq!(bed.lambda.counters("orders").invokes - before, 6);
}

#[tokio::test]
async fn a_first_ping_that_a_crash_left_unanswered_is_not_repeated_until_the_code_changes() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders").answering(Answer::Hang));
    bed.always(json!([{"name": "orders", "concurrency": 2}])).await;
    // The tick is dropped in the middle of its first ping, as a sandbox ends.
    let crashed = tokio::time::timeout(Duration::from_secs(2), bed.tick()).await;
    assert!(crashed.is_err());
    assert_eq!(bed.row("orders").await["status"], "probing");

    let orders = bed.again().await;
    assert_eq!(orders["state"], "suspended");
    assert!(orders["note"].as_str().unwrap().contains("was never recorded"), "{orders}");
    assert_eq!(bed.lambda.counters("orders").invokes, 1);

    bed.lambda.redeploy(FakeFunction::new("orders").with_code("new"));
    assert_eq!(bed.again().await["state"], "warm");
}

#[tokio::test]
async fn two_ticks_at_once_probe_a_function_once() {
    let bed = Bed::new().await;
    let real = FakeFunction::new("orders").answering(Answer::Raw(json!("real work")));
    bed.lambda.add(real.taking(Duration::from_millis(300)));
    bed.always(json!([{"name": "orders", "concurrency": 2}])).await;
    // So that both have read the schedule before either has written its claim.
    bed.lambda.set_read_time(Duration::from_millis(200));
    let now = jiff::Timestamp::now();
    let minute = jiff::SignedDuration::from_mins(1);
    let (one, other) = tokio::join!(bed.tick_at(now), bed.tick_at(now - minute));
    let notes = [one.unwrap(), other.unwrap()].map(|answer| answer["report"]["note"].to_string()).concat();
    assert_eq!(bed.lambda.counters("orders").invokes, 1);
    assert!(notes.contains("another tick is finding out"), "{notes}");
    assert_eq!(bed.row("orders").await["status"], "suspended");
}

#[tokio::test]
async fn trouble_of_a_proven_function_passes_but_an_answer_of_its_own_suspends() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders"));
    bed.always(json!([{"name": "orders", "concurrency": 3}])).await;
    bed.again().await;
    for trouble in [Answer::FunctionError(json!({"errorMessage": "boom"})), Answer::ServerError, Answer::LostResponse] {
        bed.lambda.answer_next("orders", 1, trouble);
        let orders = bed.again().await;
        assert_eq!((&orders["state"], &orders["errors"]), (&json!("warm"), &json!(1)), "{orders}");
        assert_eq!(bed.row("orders").await["status"], "proven");
    }

    bed.lambda.answer_next("orders", 1, Answer::Raw(json!("real work")));
    let before = bed.lambda.counters("orders").invokes;
    let orders = bed.again().await;
    assert_eq!(orders["state"], "suspended");
    assert!(orders["note"].as_str().unwrap().contains("had answered the protocol before"), "{orders}");
    assert_eq!(bed.again().await["state"], "suspended");
    assert_eq!(bed.lambda.counters("orders").invokes - before, 3);
}

#[tokio::test]
async fn a_proven_function_whose_code_cannot_be_read_is_asked_with_one_ping_first() {
    let mut bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders"));
    bed.always(json!([{"name": "orders", "concurrency": 5}])).await;
    bed.again().await;
    bed.lambda.throttle("lambda:GetFunctionConfiguration");
    bed.restart();
    let before = bed.lambda.counters("orders").invokes;
    assert_eq!(bed.again().await["state"], "warm");
    assert_eq!(bed.lambda.counters("orders").invokes - before, 6);

    bed.lambda.redeploy(FakeFunction::new("orders").with_code("bare").answering(Answer::Raw(json!("real work"))));
    assert_eq!(bed.again().await["state"], "suspended");
    assert_eq!(bed.lambda.counters("orders").handled, 1);
}

#[tokio::test]
async fn a_suspension_gets_its_code_as_soon_as_that_can_be_read() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders").answering(Answer::Raw(json!("real work"))));
    bed.always(json!([{"name": "orders", "concurrency": 2}])).await;
    bed.lambda.throttle("lambda:GetFunctionConfiguration");
    bed.again().await;
    assert_eq!(bed.row("orders").await["code_sha256"], json!(null));

    bed.lambda.restore("lambda:GetFunctionConfiguration");
    assert_eq!(bed.again().await["state"], "suspended");
    assert_eq!(bed.row("orders").await["code_sha256"], "sha256-of-orders");
    assert_eq!(bed.lambda.counters("orders").invokes, 1);

    bed.lambda.redeploy(FakeFunction::new("orders").with_code("layered"));
    assert_eq!(bed.again().await["state"], "warm");
}

#[tokio::test]
async fn what_the_schedule_no_longer_names_is_forgotten() {
    let bed = Bed::new().await;
    for name in ["orders", "users"] {
        bed.lambda.add(FakeFunction::new(name));
    }
    bed.always(json!(["orders", "users"])).await;
    bed.again().await;
    bed.always(json!(["orders"])).await;
    bed.again().await;
    assert_eq!((&bed.row("orders").await["status"], bed.row("users").await), (&json!("proven"), json!(null)));
}
