//! `mgmt warming plan` and `sync` against an API that answers as lambda-config does.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

use std::process::Output;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

/// Answers every request with the status and body, and asserts what was sent.
async fn api(expected: &'static str, status: u16, body: Value) -> String {
    let router = Router::new().fallback(answer).with_state((expected, status, body));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn answer(
    State((expected, status, body)): State<(&'static str, u16, Value)>,
    request: Request,
) -> impl IntoResponse {
    let sent = format!("{} {}", request.method(), request.uri());
    let token = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    if sent != expected || token != Some("Bearer secret") {
        return (StatusCode::IM_A_TEAPOT, format!("{sent} as {token:?} is not {expected}"));
    }
    (StatusCode::from_u16(status).unwrap(), body.to_string())
}

async fn mgmt(url: &str, arguments: &[&str]) -> (Output, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mgmt"))
        .args(["warming"])
        .args(arguments)
        .env("MODULE_MGMT_URL", url)
        .env("MODULE_MGMT_TOKEN", "secret")
        .output()
        .await
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output, out, err)
}

#[tokio::test]
async fn a_plan_shows_every_rule_and_changes_nothing() {
    let plan = json!({"plan": {"alarms": ["look here"], "rules": [
        {"name": "shop.prod.warm.1", "action": "create", "rule": {"expression": "cron(0 9 ? * MON *)"}},
        {"name": "shop.prod.warm.2", "action": "foreign", "why": "its tag is not ours"},
    ]}});
    let url = api("POST /platform/lambda-config/sync?dryRun=true&adoptOld=false", 200, plan.clone()).await;
    let (output, table, _) = mgmt(&url, &["plan"]).await;
    assert!(output.status.success());
    for shown in ["create", "cron(0 9 ? * MON *)", "its tag is not ours", "Alarm: look here"] {
        assert!(table.contains(shown), "{table}");
    }
    let (_, line, _) = mgmt(&url, &["plan", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), plan);
}

#[tokio::test]
async fn a_sync_that_is_pending_fails_with_its_reason() {
    let rules = json!([{"name": "shop.prod.warm.1", "action": "create", "outcome": "failed", "reason": "throttled"}]);
    let pending = json!({"status": "pending", "reason": "events:PutRule", "rules": rules, "writes": 1, "reads": 2});
    let url = api("POST /platform/lambda-config/sync?adoptOld=true", 200, pending).await;
    let (output, table, error) = mgmt(&url, &["sync", "--adopt-old"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(table.contains("throttled") && error.contains("not synced: events:PutRule"), "{table}{error}");

    let synced = json!({"status": "synced", "rules": [], "writes": 0, "reads": 2});
    let url = api("POST /platform/lambda-config/sync?adoptOld=false", 200, synced).await;
    let (output, table, _) = mgmt(&url, &["sync"]).await;
    assert!(output.status.success() && table.contains("synced, 0 writes, 2 reads"), "{table}");
}

#[tokio::test]
async fn a_problem_is_told_in_its_own_words() {
    let problem = json!({"detail": "you may not do this", "errors": [{"pointer": "/a", "message": "is wrong"}]});
    let url = api("POST /platform/lambda-config/sync?adoptOld=false", 403, problem).await;
    let (output, _, error) = mgmt(&url, &["sync"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("answered 403: you may not do this") && error.contains("/a: is wrong"), "{error}");

    let (output, _, error) = mgmt("http://127.0.0.1:1", &["sync"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("127.0.0.1:1"), "{error}");
    let (output, _, _) = mgmt("http://127.0.0.1:1", &["sync", "--nonsense"]).await;
    assert_eq!(output.status.code(), Some(2));
}
