//! Faults, rows 1 to 6: strange requests. Whatever the answer, nothing is written and no other route is reached.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mgmt_testkit::gateway::{Answer, Request, Who};
use serde_json::json;

use crate::bed::{Bed, SYNC, WARMING};
use crate::values::{body, office};

const PATH: &str = "/platform/lambda-config/theme";

/// Sends requests to a bed and then looks that none of them left anything.
struct Refused(Bed);

impl Refused {
    async fn new() -> Self {
        Self(Bed::new().await)
    }

    async fn check(&self, request: &Request, status: u64) -> Answer {
        let answer = self.0.send(request).await;
        assert_eq!(
            answer.status,
            status,
            "{}: {answer:?}",
            request.event().to_string().chars().take(300).collect::<String>()
        );
        answer
    }

    async fn assert_nothing_written(self) {
        let rows = "select count(*) || ' ' || max(row_version) from platform_lambda_config";
        assert_eq!(self.0.look(rows).await, "1 1");
        assert_eq!(self.0.look("select count(*)::text from platform_rule_sync").await, "0");
        assert_eq!(self.0.bus.writes(), 0);
    }
}

/// Faults, row 1.
#[tokio::test]
async fn a_body_that_is_no_strict_json_is_400_and_names_the_position() {
    let bed = Refused::new().await;
    let deep = |n: usize| format!(r#"{{"configValue":{}1{}}}"#, "[".repeat(n), "]".repeat(n));
    for text in [
        String::new(),
        "{".into(),
        "configValue=1".into(),
        r#"{"configValue":1}x"#.into(),
        r#"{"configValue":1,}"#.into(),
        r#"{"configValue":NaN}"#.into(),
        r#"{"configValue":01}"#.into(),
        r#"{"configValue":1e999}"#.into(),
        r#"{"configValue":{"a":1e999}}"#.into(),
        format!(r#"{{"configValue":{}}}"#, "9".repeat(400)),
        r#"{"configValue":1,"configValue":2}"#.into(),
        r#"{"configValue":{"a":{"b":1,"b":1}}}"#.into(),
        r#"{"configValue":"\u0000"}"#.into(),
        r#"{"configValue":{"\u0000":1}}"#.into(),
        r#"{"configValue":"\ud800"}"#.into(),
        r#"{"configValue":{"\udc00":1}}"#.into(),
        deep(200),
        deep(10_000),
    ] {
        let answer = bed.check(&Request::new("PUT", PATH).text(text), 400).await;
        assert!(answer.json()["detail"].as_str().unwrap().contains("line 1 column"), "{answer:?}");
    }
    let not_utf8 = Request::new("PUT", PATH).text(STANDARD.encode(b"{\"configValue\":\"\xff\"}")).edit(|event| {
        event["isBase64Encoded"] = json!(true);
    });
    let answer = bed.check(&not_utf8, 400).await;
    assert!(answer.json()["detail"].as_str().unwrap().contains("byte 16"), "{answer:?}");
    for text in
        [r#"{"configValue":1,"description":7}"#, r#"{"configValue":1,"isActive":"yes"}"#, "{}", "[]", "null", "7"]
    {
        bed.check(&Request::new("PUT", PATH).text(text), 400).await;
    }
    bed.assert_nothing_written().await;
}

/// Numbers that are JSON, and beyond what Postgres can hold.
/// Faults, row 1.
#[tokio::test]
async fn a_number_that_the_database_cannot_hold_is_no_fault_of_ours() {
    let bed = Refused::new().await;
    for number in ["1e-20000", "1e-200000", "-1e-99999999999"] {
        let answer = bed.0.send(&Request::new("PUT", PATH).text(format!(r#"{{"configValue":{number}}}"#))).await;
        assert!([200, 201, 400, 422].contains(&answer.status), "{number}: {answer:?}");
    }
}

/// Faults, row 2.
#[tokio::test]
async fn base64_bodies_and_json_types_of_all_kinds_are_accepted() {
    let bed = Bed::new().await;
    for content_type in
        ["application/json", "application/json; charset=utf-8", "application/cloudevents+json", "APPLICATION/JSON"]
    {
        let encoded = Request::new("PUT", PATH)
            .text(STANDARD.encode(body(&json!(1)).to_string()))
            .edit(|event| event["isBase64Encoded"] = json!(true))
            .header("content-type", content_type);
        let status = bed.send(&encoded).await.status;
        assert!([200, 201].contains(&status), "{content_type}: {status}");
    }
    let invalid = Request::new("PUT", PATH).text("%%%").edit(|event| event["isBase64Encoded"] = json!(true));
    bed.send(&invalid).await.expect(400);
}

/// Faults, row 3.
#[tokio::test]
async fn too_large_requests_are_413_in_our_own_form() {
    let bed = Refused::new().await;
    let text = format!(r#"{{"configValue":"{}"}}"#, "x".repeat(1024 * 1024));
    bed.check(&Request::new("PUT", PATH).text(text), 413).await;
    let binary = Request::new("PUT", PATH).text(STANDARD.encode(vec![0xff; 4_600_000]));
    bed.check(&binary.edit(|event| event["isBase64Encoded"] = json!(true)), 413).await;
    bed.check(&Request::put(PATH, &body(&json!(1))).header("x-long", &"x".repeat(20_000)), 413).await;
    bed.assert_nothing_written().await;
}

/// Faults, row 4.
#[tokio::test]
async fn a_strange_path_reaches_no_other_route() {
    let bed = Refused::new().await;
    for path in [
        "/platform/lambda-config/%2e%2e/lambda-functions",
        "/platform/lambda-config/../lambda-functions",
        "/platform/lambda-config\\sync",
        "//platform/lambda-config/sync",
        "/platform//lambda-config",
        "/platform/lambda-config/sync%3Fadmin=true",
        "/platform/lambda-config/sync?admin=true",
        "/platform/lambda-config/theme%23x",
        "/platform/lambda-config/\u{0}",
        "/platform/lambda-config/a\nb",
        "/platform/lambda-config/",
        "/platform/lambda-config/sync/",
        "/prod/platform/lambda-config/sync",
        "/platform/lambda-config/%ff",
        "/platform/lambda-config/a%2Fpreview",
    ] {
        for method in ["GET", "PUT", "POST"] {
            let request = Request::new(method, "/").json(&body(&json!(1))).edit(|event| event["rawPath"] = json!(path));
            let answer = bed.0.send(&request).await;
            assert!([400, 404].contains(&answer.status), "{method} {path:?}: {answer:?}");
        }
    }
    assert_eq!(bed.0.bus.call_count(), 0);
    bed.assert_nothing_written().await;
}

/// Faults, row 4.
#[tokio::test]
async fn unicode_and_a_named_stage_are_fine() {
    let bed = Bed::new().await;
    let path = "/platform/lambda-config/größe-🦀";
    bed.send(&Request::put(path, &body(&json!(1)))).await.expect(201);
    let staged = Request::get("/").edit(|event| {
        event["rawPath"] = json!(format!("/prod{path}"));
        event["requestContext"]["stage"] = json!("prod");
    });
    assert_eq!(bed.send(&staged).await.expect(200).json()["configKey"], "größe-🦀");
}

/// Faults, row 5.
#[tokio::test]
async fn fields_that_are_not_ours_to_take_are_400() {
    let bed = Refused::new().await;
    for field in
        ["id", "orgId", "org_id", "role", "rowVersion", "createdBy", "created_by", "configKey", "is_platform_admin"]
    {
        let mut fields = body(&json!(1));
        fields[field] = json!("x");
        let answer = bed.check(&Request::put(PATH, &fields), 400).await;
        assert!(answer.json()["detail"].as_str().unwrap().contains(field), "{answer:?}");
    }
    let preview = json!({"configValue": office(), "isActive": true});
    bed.check(&Request::post("/platform/lambda-config/lambda_warming/preview").json(&preview), 400).await;
    bed.assert_nothing_written().await;
}

/// Faults, row 6.
#[tokio::test]
async fn wrong_methods_and_types_are_405_and_415_without_any_effect() {
    let bed = Refused::new().await;
    for (method, path, allowed) in [
        ("DELETE", "/platform/lambda-config", "GET"),
        ("POST", WARMING, "DELETE,GET,PUT"),
        ("PATCH", "/platform/lambda-config", "GET"),
        ("PUT", SYNC, "POST"),
        ("GET", SYNC, "POST"),
        ("TRACE", "/platform/health", "GET"),
        ("PROPFIND", "/platform/health", "GET"),
        ("OPTIONS", WARMING, "DELETE,GET,PUT"),
        ("HEAD", WARMING, "DELETE,GET,PUT"),
    ] {
        let answer = bed.check(&Request::new(method, path).header("origin", "https://evil.example.com"), 405).await;
        let mut sent: Vec<&str> = answer.header("allow").split(',').collect();
        sent.sort_unstable();
        assert_eq!(sent.join(","), allowed, "{method} {path}");
    }
    bed.check(&Request::new("GET /", WARMING), 405).await;
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonx"]
    {
        bed.check(&Request::put(PATH, &body(&json!(1))).header("content-type", content_type), 415).await;
    }
    bed.assert_nothing_written().await;
}

#[tokio::test]
async fn who_may_not_write_learns_nothing_from_a_bad_body() {
    let bed = Refused::new().await;
    bed.check(&Request::new("PUT", WARMING).text("{").by(Who::Member), 403).await;
    bed.check(&Request::new("PUT", WARMING).text("{").by(Who::Nobody), 401).await;
    bed.check(&Request::post(&format!("{SYNC}?x=1")).by(Who::Member), 403).await;
    bed.assert_nothing_written().await;
}
