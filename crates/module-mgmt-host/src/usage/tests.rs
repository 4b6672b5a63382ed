mod hanging;
mod panics;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use module_mgmt_protocol::ping::PING_SOURCE;
use module_mgmt_protocol::usage::{EventType, UsageMessage};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tower::{Layer as _, ServiceExt as _};

use super::*;
use crate::BoxFuture;
use crate::warm::{Instance, WarmLayer};

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<Value>>>);

impl UsageSink for Memory {
    fn send<'a>(&'a self, message: &'a UsageMessage) -> BoxFuture<'a, Result<(), String>> {
        self.0.lock().unwrap().push(serde_json::to_value(message).unwrap());
        Box::pin(async { Ok(()) })
    }
}

struct Broken;

impl UsageSink for Broken {
    fn send<'a>(&'a self, _: &'a UsageMessage) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Err("no queue".to_owned()) })
    }
}

struct Hanging;

impl UsageSink for Hanging {
    fn send<'a>(&'a self, _: &'a UsageMessage) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(std::future::pending())
    }
}

fn request() -> Value {
    json!({
        "version": "2.0", "routeKey": "GET /orders/{id}", "rawPath": "/orders/7", "rawQueryString": "", "headers": {},
        "requestContext": {"stage": "$default", "requestId": "r", "http": {"method": "GET", "path": "/orders/7"},
            "authorizer": {"jwt": {"claims": {"sub": "auth0|1", "org_id": "o", "is_org_admin": "false"}}}},
    })
}

fn event(payload: &Value) -> LambdaEvent<Box<RawValue>> {
    LambdaEvent::new(serde_json::value::to_raw_value(payload).unwrap(), lambda_runtime::Context::default())
}

/// What the handler's answer becomes, and what is recorded of it.
async fn handled(event_sent: &Value, answer: Result<Value, &'static str>) -> (Result<Value, String>, Vec<Value>) {
    let memory = Memory::default();
    let handler = service_fn(move |_: LambdaEvent<Value>| std::future::ready(answer.clone().map_err(Error::from)));
    let recorded = UsageLayer::new(UsageRecorder::for_module("module-orders", memory.clone())).layer(handler);
    let service = WarmLayer::new(Instance::start()).layer(recorded);
    let answer = service.oneshot(event(event_sent)).await;
    let answer = answer.map(|answer| serde_json::to_value(answer).unwrap()).map_err(|error| error.to_string());
    let records = memory.0.lock().unwrap().clone();
    (answer, records)
}

#[tokio::test]
async fn a_request_is_recorded_for_its_caller_and_its_answer_passes_unchanged() {
    let answer = json!({"statusCode": 200, "headers": {}, "body": "x"});
    let (passed, records) = handled(&request(), Ok(answer.clone())).await;
    assert_eq!((passed.unwrap(), records.len()), (answer, 1));
    let (message, record) = (&records[0], &records[0]["event"]);
    assert_eq!((&message["orgId"], &message["userId"]), (&json!("o"), &json!("auth0|1")));
    assert_eq!(record["id"].as_str().unwrap().chars().nth(14), Some('7'));
    assert!(record["durationMs"].as_u64().unwrap() < 1_000);
    for (field, value) in [
        ("moduleName", "module-orders"),
        ("eventType", "api_call"),
        ("status", "success"),
        ("endpoint", "/orders/{id}"),
        ("httpMethod", "GET"),
    ] {
        assert_eq!(record[field], value, "{field}");
    }
    assert_eq!(record.get("errorCode"), None);
}

#[tokio::test]
async fn a_catch_all_route_is_recorded_by_its_path() {
    for (route, endpoint) in [
        ("ANY /{proxy+}", "/orders/7"),
        ("GET /orders/{proxy+}", "/orders/7"),
        ("$default", "/orders/7"),
        ("GET /orders/{id}", "/orders/{id}"),
    ] {
        let mut sent = request();
        sent["routeKey"] = route.into();
        let (_, records) = handled(&sent, Ok(json!({"statusCode": 200}))).await;
        assert_eq!(records[0]["event"]["endpoint"], endpoint, "{route}");
    }
}

#[tokio::test]
async fn failures_are_recorded_with_their_code() {
    let problem = json!({"code": "not_found"}).to_string();
    for (answer, code) in [
        (Ok(json!({"statusCode": 404, "body": problem})), "not_found"),
        (Ok(json!({"statusCode": 503, "body": "down"})), "http_503"),
        (Ok(json!({"statusCode": 500})), "http_500"),
        (Err("secret words"), "handler_failed"),
    ] {
        let (passed, records) = handled(&request(), answer.clone()).await;
        assert_eq!(passed.is_ok(), answer.is_ok());
        assert_eq!(
            (&records[0]["event"]["status"], &records[0]["event"]["errorCode"]),
            (&json!("failure"), &json!(code))
        );
        assert!(!records[0].to_string().contains("secret"));
    }
}

#[tokio::test]
async fn an_answer_for_several_things_is_a_partial_success() {
    let (_, records) = handled(&request(), Ok(json!({"statusCode": 207, "body": "{}"}))).await;
    assert_eq!((&records[0]["event"]["status"], records[0]["event"].get("errorCode")), (&json!("partial"), None));
}

#[tokio::test]
async fn pings_other_events_and_requests_without_a_caller_are_no_use() {
    let ping = json!({"source": PING_SOURCE, "ping": {"runId": "r", "invocation": 1, "of": 1, "holdMs": 0}});
    let mut anonymous = request();
    anonymous["requestContext"]["authorizer"] = Value::Null;
    for other in [ping, json!({"Records": []}), anonymous] {
        let (passed, records) = handled(&other, Ok(json!({"statusCode": 200}))).await;
        assert!(passed.is_ok() && records.is_empty(), "{other}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_counted_and_fails_nothing() {
    let broken = UsageRecorder::for_module("module-orders", Broken);
    let hanging = UsageRecorder::for_module("module-orders", Hanging);
    for recorder in [broken, hanging] {
        let handler = service_fn(async |_: LambdaEvent<Value>| Ok::<_, Error>(json!({"statusCode": 200})));
        let service = UsageLayer::new(recorder.clone()).layer(handler);
        let before = tokio::time::Instant::now();
        service.oneshot(event(&request())).await.unwrap();
        assert!(before.elapsed() <= Duration::from_millis(155));
        recorder.record("o", "u", UsageSpan::begin(EventType::Export), UseOutcome::Partial).await;
        assert_eq!(recorder.unsent(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_waits_150_ms_for_its_record() {
    let recorder = UsageRecorder::for_module("module-orders", Hanging);
    let before = tokio::time::Instant::now();
    recorder.record("o", "u", UsageSpan::begin(EventType::Export), UseOutcome::Success).await;
    // As a number: whoever changes the constant changes what every response of a host may wait.
    assert_eq!(before.elapsed(), Duration::from_millis(150));
    assert_eq!(DEFAULT_PATIENCE, Duration::from_millis(150));
}
