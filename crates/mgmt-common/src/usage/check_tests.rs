use serde_json::{Value, json};

use super::*;

/// An event with these fields besides the required ones; `null` leaves a required one out.
fn check(fields: &Value) -> Result<CheckedEvent<'static>, (RejectReason, Vec<String>)> {
    let mut event = json!({"eventType": "api_call", "moduleName": "module-ai", "status": "success"});
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    check_text(event.to_string())
}

fn check_text(event: String) -> Result<CheckedEvent<'static>, (RejectReason, Vec<String>)> {
    let checked = CheckedEvent::check(SentEvent::read(event.leak()).unwrap(), None, id::make);
    checked.map_err(|refusal| (refusal.reason, refusal.errors.into_iter().map(|error| error.pointer).collect()))
}

fn hash(fields: &Value) -> [u8; 16] {
    check(fields).unwrap().content_hash
}

#[test]
fn both_spellings_are_the_same_event_and_the_time_is_not_content() {
    let camel =
        check(&json!({"durationMs": 5, "metadata": {"aB": 1, "c": 2}, "occurredAt": "2026-11-02T14:00:00Z"})).unwrap();
    let snake = check_text(
        r#"{"event_type": "api_call", "module_name": "module-ai", "status": "success", "duration_ms": 5,
            "metadata": {"c": 2, "aB": 1}, "occurred_at": "2026-11-01T00:00:00+02:00"}"#
            .to_owned(),
    )
    .unwrap();
    assert_eq!(camel.content_hash, snake.content_hash);
    assert_eq!(snake.occurred_at.to_string(), "2026-10-31T22:00:00Z");
    assert_ne!(camel.content_hash, hash(&json!({"durationMs": 5, "metadata": {"a_b": 1, "c": 2}})));
    assert_ne!(camel.content_hash, hash(&json!({"durationMs": 5})));
}

#[test]
fn every_field_but_id_and_time_is_content() {
    let plain = hash(&json!({}));
    for other in [
        json!({"eventType": "export"}),
        json!({"moduleName": "module-b"}),
        json!({"status": "failure"}),
        json!({"eventAction": "x"}),
        json!({"metadata": {}}),
        json!({"endpoint": "x"}),
        json!({"httpMethod": "x"}),
        json!({"durationMs": 0}),
        json!({"errorCode": "x"}),
        json!({"errorMessage": "x"}),
    ] {
        assert_ne!(hash(&other), plain, "{other}");
    }
    let id = "01937a5c-8f00-7000-8000-000000000001";
    assert_eq!(hash(&json!({"id": id, "occurredAt": "2026-11-02T14:00:00Z", "endpoint": null})), plain);
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
    assert_eq!(errors.unwrap_err(), (RejectReason::Invalid, expected.map(str::to_owned).to_vec()));
    for duration in [json!(1.5), json!(86_400_001), json!(1e30), json!(-0.5), json!(u64::MAX)] {
        let errors = check(&json!({ "durationMs": duration })).unwrap_err();
        assert_eq!(errors, (RejectReason::Invalid, vec!["/durationMs".to_owned()]), "{duration}");
    }
}

#[test]
fn limits_are_counted_in_characters_and_the_limit_itself_is_allowed() {
    for (field, limit) in [
        ("eventAction", 200),
        ("moduleName", 200),
        ("endpoint", 2_000),
        ("httpMethod", 20),
        ("errorCode", 200),
        ("errorMessage", 2_000),
    ] {
        assert!(check(&json!({ field: "ä".repeat(limit) })).is_ok(), "{field}");
        assert!(check(&json!({ field: "ä".repeat(limit + 1) })).is_err(), "{field}");
    }
    assert_eq!(check(&json!({"durationMs": 86_400_000})).unwrap().duration_ms, Some(86_400_000));
}

#[test]
fn a_shape_that_is_none_of_an_event_is_malformed_and_all_of_it_is_told() {
    let (reason, pointers) = check(&json!({
        "eventType": null, "status": 7, "org_id": "x", "endpoint": ["/a"], "durationMs": "5", "httpMethod": true,
        "errorCode": "\u{0}", "metadata": {"a": "\u{0}"}, "id": "1",
    }))
    .unwrap_err();
    let mut pointers = pointers;
    pointers.sort();
    let expected = [
        "/durationMs",
        "/endpoint",
        "/errorCode",
        "/eventType",
        "/httpMethod",
        "/id",
        "/metadata",
        "/org_id",
        "/status",
    ];
    assert_eq!((reason, pointers), (RejectReason::Malformed, expected.map(str::to_owned).to_vec()));
    let twice =
        r#"{"eventType":"export","event_type":"export","status":"success","moduleName":"m","metadata":{"a":1,"a":2}}"#;
    assert_eq!(
        check_text(twice.to_owned()).unwrap_err(),
        (RejectReason::Malformed, vec!["/eventType".to_owned(), "/metadata".to_owned()])
    );
}

#[test]
fn a_field_of_another_kind_is_a_fault_of_that_field_and_the_rest_is_read_on() {
    for other in [json!({"a": {"b": 1}}), json!({}), json!([1, [2]]), json!(true), json!(1.5), json!(-1)] {
        let (reason, pointers) = check(&json!({"endpoint": other, "httpMethod": 7})).unwrap_err();
        assert_eq!(reason, RejectReason::Malformed, "{other}");
        assert_eq!(pointers, ["/endpoint", "/httpMethod"], "{other}");
    }
}

#[test]
fn metadata_is_kept_as_it_was_sent_and_null_is_none() {
    let kept = check_text(
        r#"{"eventType":"api_call","moduleName":"module-ai","status":"success","metadata": {"n": 12345678901234567890123, "m": 1.10}}"#
            .to_owned(),
    );
    assert_eq!(kept.unwrap().metadata.unwrap().get(), r#"{"n": 12345678901234567890123, "m": 1.10}"#);
    assert!(check(&json!({"metadata": null})).unwrap().metadata.is_none());
    assert_ne!(hash(&json!({"metadata": 1})), hash(&json!({"metadata": 1.0})));
}

#[test]
fn what_is_no_object_is_told_so() {
    let fault = SentEvent::read("5").unwrap_err();
    assert!(fault.contains("invalid type: integer `5`, expected a usage event"), "{fault}");
}
