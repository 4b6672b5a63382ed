use serde_json::{Value, json};

use super::*;

fn event(fields: &Value) -> UsageEvent {
    let mut event = json!({"eventType": "api_call", "moduleName": "module-ai", "status": "success"});
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(event).unwrap()
}

fn check(fields: &Value) -> Result<CheckedEvent, Vec<String>> {
    event(fields).check(id::make).map_err(|errors| errors.into_iter().map(|error| error.pointer).collect())
}

#[test]
fn both_spellings_are_the_same_event_and_the_time_is_not_content() {
    let camel =
        check(&json!({"durationMs": 5, "metadata": {"aB": 1, "c": 2}, "occurredAt": "2026-11-02T14:00:00Z"})).unwrap();
    let snake: UsageEvent = serde_json::from_value(json!({
        "event_type": "api_call", "module_name": "module-ai", "status": "success", "duration_ms": 5,
        "metadata": {"c": 2, "aB": 1}, "occurred_at": "2026-11-01T00:00:00+02:00",
    }))
    .unwrap();
    let snake = snake.check(id::make).unwrap();
    assert_eq!(camel.content_hash, snake.content_hash);
    assert_eq!(snake.occurred_at.to_string(), "2026-10-31T22:00:00Z");
    assert_ne!(
        camel.content_hash,
        check(&json!({"durationMs": 5, "metadata": {"a_b": 1, "c": 2}})).unwrap().content_hash
    );
    assert_ne!(camel.content_hash, check(&json!({"durationMs": 5})).unwrap().content_hash);
}

#[test]
fn the_day_of_an_event_is_that_of_its_id_unless_it_says_otherwise() {
    let id = "01937a5c-8f00-7000-8000-000000000001";
    let checked = check(&json!({ "id": id })).unwrap();
    assert_eq!(checked.occurred_at, checked.id_time);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let long = "x".repeat(2_001);
    let errors = check(&json!({
        "id": "1", "eventType": "x", "status": "ok", "moduleName": null, "eventAction": long, "durationMs": -1,
        "occurredAt": "yesterday", "errorMessage": long,
    }));
    let expected =
        ["/id", "/eventType", "/status", "/moduleName", "/eventAction", "/errorMessage", "/durationMs", "/occurredAt"];
    assert_eq!(errors.unwrap_err(), expected);
    for duration in [json!(1.5), json!(86_400_001), json!(1e30), json!(-0.5), json!(u64::MAX)] {
        assert_eq!(check(&json!({ "durationMs": duration })).unwrap_err(), ["/durationMs"], "{duration}");
    }
}

#[test]
fn texts_and_durations_may_be_as_long_as_their_limit() {
    let limits = [
        ("moduleName", 200),
        ("eventAction", 200),
        ("endpoint", 2_000),
        ("httpMethod", 20),
        ("errorCode", 200),
        ("errorMessage", 2_000),
    ];
    for (name, limit) in limits {
        // Characters, not bytes.
        assert!(check(&json!({ name: "ä".repeat(limit) })).is_ok(), "{name}");
        assert_eq!(check(&json!({ name: "ä".repeat(limit + 1) })).unwrap_err(), [format!("/{name}")], "{name}");
    }
    for (duration, expected) in [(0, 0), (86_400_000, 86_400_000)] {
        assert_eq!(check(&json!({ "durationMs": duration })).unwrap().duration_ms, Some(expected));
    }
    assert_eq!(check(&json!({})).unwrap().duration_ms, None);
    for event_type in EVENT_TYPES {
        assert!(check(&json!({ "eventType": event_type })).is_ok(), "{event_type}");
    }
    for status in STATUSES {
        assert!(check(&json!({ "status": status })).is_ok(), "{status}");
    }
}

#[test]
fn every_field_but_id_and_time_is_content() {
    let all = json!({
        "id": "01937a5c-8f00-7000-8000-000000000001", "eventAction": "a", "metadata": {"a": 1}, "endpoint": "/a",
        "httpMethod": "GET", "durationMs": 1, "errorCode": "a", "errorMessage": "a", "occurredAt": "2026-11-02T14:00:00Z",
    });
    let hash = |name: &str, value: Value| {
        let mut fields = all.clone();
        fields[name] = value;
        check(&fields).unwrap().content_hash
    };
    let same = hash("eventAction", json!("a"));
    for (name, value) in [
        ("id", json!("01937a5c-8f00-7000-8000-000000000002")),
        ("id", Value::Null),
        ("occurredAt", json!("2026-11-02T15:00:00Z")),
    ] {
        assert_eq!(hash(name, value), same, "{name}");
    }
    for (name, value) in [
        ("eventType", json!("export")),
        ("moduleName", json!("module-b")),
        ("eventAction", Value::Null),
        ("metadata", json!({"a": 2})),
        ("endpoint", json!("/b")),
        ("httpMethod", json!("PUT")),
        ("durationMs", json!(2)),
        ("status", json!("failure")),
        ("errorCode", json!("b")),
        ("errorMessage", json!("b")),
    ] {
        assert_ne!(hash(name, value), same, "{name}");
    }
}
