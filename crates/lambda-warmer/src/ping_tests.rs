use mgmt_common::aws::{AwsError, AwsErrorKind};
use mgmt_common::functions::InvokeOutcome;
use mgmt_common::schedule::functions::Payload;
use module_mgmt_protocol::ping::Ping;
use serde_json::{Value, json};

use super::{Shown, message, shown};

fn ping() -> Ping {
    Ping { run_id: "run".into(), invocation: 1, of: 3, hold_ms: 500 }
}

#[test]
fn each_payload_is_what_its_receiver_expects() {
    let check = |payload: Payload, expected: Value, context: Option<Value>| {
        let message = message(&payload, &ping());
        assert_eq!(serde_json::from_slice::<Value>(&message.payload).unwrap(), expected);
        assert_eq!(message.client_context.map(|text| serde_json::from_str::<Value>(&text).unwrap()), context);
    };
    let native =
        json!({"source": "module-mgmt.warmer", "ping": {"runId": "run", "invocation": 1, "of": 3, "holdMs": 500}});
    check(Payload::Native, native, None);
    let lambda_warmer = json!({"warmer": true, "__WARMER_INVOCATION__": 2, "__WARMER_CONCURRENCY__": 4,
        "__WARMER_CORRELATIONID__": "run"});
    check(Payload::LambdaWarmer, lambda_warmer, None);
    let plugin = json!({"source": "serverless-plugin-warmup"});
    check(Payload::ServerlessPluginWarmup, plugin.clone(), Some(json!({ "custom": plugin })));
    check(Payload::Custom(json!([1, "x"])), json!([1, "x"]), None);
}

#[test]
fn only_the_protocol_proves_a_native_ping() {
    let answered = |payload: Value| InvokeOutcome::Answered { payload: payload.to_string().into_bytes() };
    let warm = json!({"instanceId": "i", "coldStart": true, "initMs": 1, "ageMs": 2});
    assert!(matches!(shown(&Payload::Native, answered(warm)), Shown::Reached(Some(_))));
    for other in [json!({"statusCode": 200}), json!("warmed"), json!(null), json!({"instanceId": "i"})] {
        assert!(matches!(shown(&Payload::Native, answered(other.clone())), Shown::NotTheProtocol(_)));
        assert_eq!(shown(&Payload::LambdaWarmer, answered(other)), Shown::Reached(None));
    }
    assert_eq!(shown(&Payload::Native, InvokeOutcome::Throttled { reason: None }), Shown::Throttled);
}

#[test]
fn only_a_refusal_shows_that_nothing_ran() {
    let check = |outcome: InvokeOutcome, nothing_ran: bool| {
        let shown = shown(&Payload::Native, outcome.clone());
        let matches = if nothing_ran { matches!(shown, Shown::NotRun(_)) } else { matches!(shown, Shown::Unclear(_)) };
        assert!(matches, "{outcome:?} showed {shown:?}");
    };
    let error = |kind| AwsError {
        action: "lambda:InvokeFunction",
        resource: "orders".into(),
        kind,
        code: None,
        message: "x".into(),
    };
    check(InvokeOutcome::TimedOut, false);
    check(InvokeOutcome::FunctionError { kind: "Unhandled".into(), payload: b"{}".to_vec() }, false);
    check(InvokeOutcome::Failed(error(AwsErrorKind::Server)), false);
    check(InvokeOutcome::Failed(error(AwsErrorKind::Unreachable)), false);
    check(InvokeOutcome::Failed(error(AwsErrorKind::Conflict)), true);
    check(InvokeOutcome::Failed(error(AwsErrorKind::Refused)), true);
    check(InvokeOutcome::NotSent(error(AwsErrorKind::Unreachable)), true);
    check(InvokeOutcome::NotFound { message: "x".into() }, true);
    check(InvokeOutcome::Denied { message: "x".into() }, true);
}

#[test]
fn a_strangers_answer_is_described_without_its_values() {
    let secret = InvokeOutcome::Answered { payload: br#"{"token":"s3cret"}"#.to_vec() };
    match shown(&Payload::Native, secret) {
        Shown::NotTheProtocol(text) => assert!(text.contains("token") && !text.contains("s3cret"), "{text}"),
        other => panic!("{other:?}"),
    }
}
