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
    for (name, answer) in [("denied", Answer::AccessDenied), ("gone", Answer::NotFound), ("down", Answer::ServerError)]
    {
        bed.lambda.add(FakeFunction::new(name).answering(answer));
    }
    bed.always(json!(["denied", "gone", "down"])).await;
    let answer = bed.tick().await;
    for function in answer["report"]["functions"].as_array().unwrap() {
        assert_eq!(function["state"], "failed", "{function}");
        assert!(function["note"].is_string(), "{function}");
    }
    assert_eq!(answer["report"]["status"], "failed");
}
