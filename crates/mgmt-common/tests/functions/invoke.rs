//! Invokes: every outcome is told apart, nothing is retried, hundreds run at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mgmt_common::aws::AwsErrorKind;
use mgmt_common::functions::InvokeOutcome;
use mgmt_testkit::lambda_api::{Answer, FakeFunction, LambdaFake};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::functions;

const LIMIT: Duration = Duration::from_secs(5);

fn ping(invocation: usize, of: usize, hold_ms: u64) -> Vec<u8> {
    let ping = json!({"runId": "run-1", "invocation": invocation, "of": of, "holdMs": hold_ms});
    json!({"source": "module-mgmt.warmer", "ping": ping}).to_string().into_bytes()
}

#[tokio::test]
async fn every_outcome_is_told_apart_and_nothing_is_retried() {
    let fake = LambdaFake::start().await.unwrap();
    let functions = functions(&fake);
    let check = async |answer: Answer, expected: &dyn Fn(&InvokeOutcome) -> bool| {
        fake.add(FakeFunction::new("orders").answering(answer.clone()));
        let outcome = functions.invoke("orders", None, ping(1, 1, 0), None, Duration::from_millis(300)).await;
        assert!(expected(&outcome), "{answer:?} gave {outcome:?}");
        assert_eq!(fake.counters("orders").invokes, 1, "{answer:?} was retried");
    };
    let raw = json!({"statusCode": 200});
    let payload = raw.to_string().into_bytes();
    check(Answer::Raw(raw), &|outcome| *outcome == InvokeOutcome::Answered { payload: payload.clone() }).await;
    check(Answer::FunctionError(json!({"errorMessage": "boom"})), &|outcome| {
        matches!(outcome, InvokeOutcome::FunctionError { kind, payload }
            if kind == "Unhandled" && payload.ends_with(b"\"boom\"}"))
    })
    .await;
    for reason in ["ReservedFunctionConcurrentInvocationLimitExceeded", "ConcurrentInvocationLimitExceeded"] {
        let throttled = InvokeOutcome::Throttled { reason: Some(reason.to_owned()) };
        check(Answer::Throttled(reason), &|outcome| *outcome == throttled).await;
    }
    check(
        Answer::NotFound,
        &|outcome| matches!(outcome, InvokeOutcome::NotFound { message } if message.contains("function:orders")),
    )
    .await;
    check(Answer::AccessDenied, &|outcome| {
        matches!(outcome, InvokeOutcome::Denied { message } if message.contains("lambda:InvokeFunction on orders"))
    })
    .await;
    check(
        Answer::ServerError,
        &|outcome| matches!(outcome, InvokeOutcome::Failed(error) if error.kind == AwsErrorKind::Server),
    )
    .await;
    check(
        Answer::LostResponse,
        &|outcome| matches!(outcome, InvokeOutcome::Failed(error) if error.kind == AwsErrorKind::Unreachable),
    )
    .await;
    check(Answer::Hang, &|outcome| *outcome == InvokeOutcome::TimedOut).await;
    assert_eq!(fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_sends_nothing() {
    let fake = LambdaFake::start().await.unwrap();
    let functions = functions(&fake);
    drop(fake);
    let outcome = functions.invoke("orders", None, ping(1, 1, 0), None, LIMIT).await;
    assert!(
        matches!(&outcome, InvokeOutcome::NotSent(error) if error.kind == AwsErrorKind::Unreachable),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn qualifier_payload_and_client_context_arrive_as_they_are() {
    let fake = LambdaFake::start().await.unwrap();
    fake.add(FakeFunction::new("orders").with_qualifier("live"));
    let functions = functions(&fake);
    let context = r#"{"custom":{"source":"serverless-plugin-warmup"}}"#;
    let outcome = functions.invoke("orders", Some("live"), b"{\"a\":1}".to_vec(), Some(context), LIMIT).await;
    assert_eq!(outcome, InvokeOutcome::Answered { payload: b"{\"handled\":true}".to_vec() });
    let unknown = functions.invoke("orders", Some("blue"), b"{}".to_vec(), None, LIMIT).await;
    assert!(matches!(unknown, InvokeOutcome::NotFound { .. }), "{unknown:?}");
    let counters = fake.counters("orders");
    assert_eq!(counters.payloads[0], json!({"a": 1}));
    assert_eq!(counters.client_contexts, [Some(serde_json::from_str(context).unwrap()), None]);
    assert_eq!(counters.qualifiers, [Some("live".to_owned()), Some("blue".to_owned())]);
    assert_eq!((counters.invokes, counters.ran, counters.handled), (2, 1, 1));
}

#[tokio::test]
async fn an_instance_takes_one_event_at_a_time_and_stays_warm() {
    let fake = LambdaFake::start().await.unwrap();
    fake.add(FakeFunction::new("orders").with_init(Duration::from_millis(20)).with_reserved_concurrency(3));
    let functions = Arc::new(functions(&fake));
    let first = answers(&fanned_out(&functions, "orders", 3, 60).await);
    assert!(first.iter().all(|answer| answer["coldStart"] == true && answer["initMs"] == 20));
    let second = answers(&fanned_out(&functions, "orders", 3, 60).await);
    assert!(second.iter().all(|answer| answer["coldStart"] == false && answer["ageMs"].as_u64() >= Some(60)));
    let counters = fake.counters("orders");
    assert_eq!((counters.instances, counters.cold, counters.max_concurrency, counters.handled), (3, 3, 3, 0));
    let beyond = fanned_out(&functions, "orders", 4, 60).await;
    let throttled = beyond.iter().filter(|outcome| matches!(outcome, InvokeOutcome::Throttled { .. })).count();
    assert_eq!(throttled, 1);
    fake.end_instances("orders");
    assert_eq!(answers(&fanned_out(&functions, "orders", 1, 0).await)[0]["coldStart"], true);
}

/// On a busy machine a debug build needs longer than the hold to start them all, so that late ones meet a free instance: what
/// must be true then, too, is that the answers tell of exactly the instances that the fake counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_invokes_run_at_once() {
    let fake = LambdaFake::start().await.unwrap();
    fake.add(FakeFunction::new("orders").taking(Duration::from_millis(50)));
    let functions = Arc::new(functions(&fake));
    let begin = Instant::now();
    let outcomes = fanned_out(&functions, "orders", 200, 1000).await;
    println!("200 invokes holding 1,050 ms took {:?}", begin.elapsed());
    let mut instances: Vec<String> = answers(&outcomes).iter().map(|answer| answer["instanceId"].to_string()).collect();
    instances.sort();
    instances.dedup();
    let counters = fake.counters("orders");
    assert_eq!((instances.len(), counters.invokes, counters.handled), (counters.instances, 200, 0));
    assert!(counters.max_concurrency >= 50, "{} at once", counters.max_concurrency);
}

async fn fanned_out(
    functions: &Arc<mgmt_common::functions::Functions>,
    name: &'static str,
    copies: usize,
    hold_ms: u64,
) -> Vec<InvokeOutcome> {
    let mut running = JoinSet::new();
    for invocation in 1..=copies {
        let functions = Arc::clone(functions);
        running
            .spawn(async move { functions.invoke(name, None, ping(invocation, copies, hold_ms), None, LIMIT).await });
    }
    running.join_all().await
}

fn answers(outcomes: &[InvokeOutcome]) -> Vec<Value> {
    let answer = |outcome: &InvokeOutcome| match outcome {
        InvokeOutcome::Answered { payload } => serde_json::from_slice(payload).expect("the fake answers JSON"),
        other => panic!("{other:?}"),
    };
    outcomes.iter().map(answer).collect()
}
