use serde::Deserialize;
use serde_json::value::RawValue;

use super::{JsonError, parse};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    #[serde(alias = "free_form")]
    free_form: Box<RawValue>,
    #[serde(default)]
    count: u8,
}

fn refused(body: &[u8], expected: &str) {
    match parse::<Body>(body) {
        Err(JsonError { detail, .. }) => assert!(detail.contains(expected), "{detail:?} lacks {expected:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bad_json_is_refused_with_its_position() {
    refused(b"{\"freeForm\": ", "line 1 column 13");
    refused(b"{\"freeForm\": 1} x", "trailing characters at line 1 column 17");
    refused(b"{\"freeForm\": \"\xff\"}", "not UTF-8 from byte 14");
    refused(b"", "EOF");
    refused(b"{\"freeForm\": 1e999}", "number out of range at line 1");
    refused(b"{\n \"freeForm\": 1e-999}", "a number of more than 100 digits at line 2 column 14");
    refused(
        "{\"freeForm\":".to_owned().as_bytes().iter().copied().chain([b'['; 10_000]).collect::<Vec<_>>().as_slice(),
        "recursion limit",
    );
    refused(b"{\"freeForm\": {\"a\": 1, \"a\": 2}}", "the key \"a\" occurs twice in one object at line 1 column 29");
    refused(b"{\"freeForm\": \"\\u0000\"}", "NUL");
    refused(b"{\"freeForm\": {\"\\u0000\": 1}}", "NUL");
    refused(b"{\"freeForm\": 1, \"org_id\": \"x\"}", "unknown field `org_id`");
    refused(b"{\"freeForm\": 1, \"free_form\": 2}", "duplicate field");
    refused(b"{\"freeForm\": 1, \"count\": 300}", "expected u8");
}

#[test]
fn an_error_of_type_points_to_its_field() {
    match parse::<Body>(b"{\"freeForm\": 1, \"count\": \"many\"}") {
        Err(JsonError { field, .. }) => assert_eq!(field.unwrap().pointer, "/count"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn free_form_parts_stay_as_they_were_sent() {
    let body: Body =
        parse(br#"{"count": 3, "free_form": {"snake_case": 12345678901234567890123, "z": 1.10, "a": "\u00e9"}}"#)
            .unwrap();
    assert_eq!(body.count, 3);
    assert_eq!(body.free_form.get(), r#"{"snake_case": 12345678901234567890123, "z": 1.10, "a": "\u00e9"}"#);
}
