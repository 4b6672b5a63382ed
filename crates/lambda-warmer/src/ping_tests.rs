use mgmt_common::aws::{AwsError, AwsErrorKind};
use mgmt_common::functions::InvokeOutcome;
use mgmt_common::schedule::functions::Payload;
use module_mgmt_protocol::ping::Ping;
use serde_json::{Value, json};

use super::{PingOutcome, classify, message};

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
    assert!(matches!(classify(&Payload::Native, answered(warm)), PingOutcome::Reached(Some(_))));
    for other in [json!({"statusCode": 200}), json!("warmed"), json!(null), json!({"instanceId": "i"})] {
        assert!(matches!(classify(&Payload::Native, answered(other.clone())), PingOutcome::NotTheProtocol(_)));
        assert_eq!(classify(&Payload::LambdaWarmer, answered(other)), PingOutcome::Reached(None));
    }
    assert_eq!(classify(&Payload::Native, InvokeOutcome::Throttled { reason: None }), PingOutcome::Throttled);
}

#[test]
fn only_a_refusal_shows_that_nothing_ran() {
    let check = |outcome: InvokeOutcome, nothing_ran: bool| {
        let shown = classify(&Payload::Native, outcome.clone());
        let matches = if nothing_ran {
            matches!(shown, PingOutcome::NotRun(_))
        } else {
            matches!(shown, PingOutcome::Unclear(_))
        };
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
    match classify(&Payload::Native, secret) {
        PingOutcome::NotTheProtocol(text) => assert!(text.contains("token") && !text.contains("s3cret"), "{text}"),
        other => panic!("{other:?}"),
    }
}

/// Faults, row 52.
#[test]
fn an_answer_with_figures_that_cannot_be_is_not_the_protocols() {
    let long = "x".repeat(5_500_000);
    for odd in [
        json!({"instanceId": "i", "coldStart": true, "initMs": u64::MAX, "ageMs": 2}),
        json!({"instanceId": "i", "coldStart": true, "initMs": 900_001, "ageMs": 2}),
        json!({"instanceId": "i", "coldStart": true, "initMs": -1, "ageMs": 2}),
        json!({"instanceId": "i", "coldStart": true, "initMs": 1.5, "ageMs": 2}),
        json!({"instanceId": "i", "coldStart": true, "initMs": "NaN", "ageMs": 2}),
        json!({"instanceId": "i", "coldStart": "yes", "initMs": 1, "ageMs": 2}),
        json!({"instanceId": "", "coldStart": true, "initMs": 1, "ageMs": 2}),
        json!({"instanceId": "a\nb", "coldStart": true, "initMs": 1, "ageMs": 2}),
        json!({"instanceId": "x".repeat(101), "coldStart": true, "initMs": 1, "ageMs": 2}),
        json!({"instanceId": long, "coldStart": true, "initMs": 1, "ageMs": 2}),
        Value::Object((0..20_000).map(|n| (format!("{n}{}", "k".repeat(100)), json!(1))).collect()),
        Value::Object([("k".repeat(7_000), json!(1))].into_iter().collect()),
    ] {
        let outcome = InvokeOutcome::Answered { payload: odd.to_string().into_bytes() };
        match classify(&Payload::Native, outcome) {
            PingOutcome::NotTheProtocol(words) => assert!(words.chars().count() <= 300, "{}", words.len()),
            other => panic!("{other:?}"),
        }
    }
    let failed = InvokeOutcome::FunctionError { kind: "k".repeat(9_000), payload: b"{}".to_vec() };
    match classify(&Payload::Native, failed) {
        PingOutcome::Unclear(words) => assert!(words.chars().count() <= 300),
        other => panic!("{other:?}"),
    }
}
