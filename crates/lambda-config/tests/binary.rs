//! The function's real binary behind the Lambda Runtime API, with AWS out of reach.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

use std::path::Path;
use std::time::{Duration, Instant};

use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase, WORKER_LOGIN};
use mgmt_testkit::runtime_api::FunctionProcess;
use serde_json::{Value, json};

/// An address at which nothing listens.
fn closed_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn function(database_url: &str, role: &str, aws: &str) -> FunctionProcess {
    let variables = [
        ("DATABASE_URL", database_url),
        ("DATABASE_ROLE", role),
        ("PROJECT", "shop"),
        ("ENVIRONMENT", "test"),
        ("WARMER_FUNCTION_ARN", "arn:aws:lambda:eu-central-1:123456789012:function:warmer"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIATEST"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL", aws),
    ];
    FunctionProcess::start(Path::new(env!("CARGO_BIN_EXE_lambda-config")), &variables).await.unwrap()
}

fn request(method: &str, path: &str, query: &str, body: Option<&Value>) -> Value {
    let mut event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "stage": "$default", "requestId": "gateway-1", "http": {"method": method, "path": path},
            "authorizer": {"jwt": {"claims": {"sub": "admin", "org_id": "org-a", "is_platform_admin": "true"}}},
        },
        "isBase64Encoded": false,
    });
    if let Some(body) = body {
        event["body"] = body.to_string().into();
    }
    event
}

fn schedule() -> Value {
    let day = json!({"enabled": true, "ranges": [{"start": "09:00", "end": "17:00"}]});
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let week: serde_json::Map<String, Value> = days.map(|name| (name.to_owned(), day.clone())).into_iter().collect();
    json!({"configValue": {"enabled": true, "timezone": "Europe/Berlin", "interval_minutes": 5, "weekly_schedule": week}})
}

/// The answer's status and JSON body.
async fn answered(function: &mut FunctionProcess, event: &Value) -> (u64, Value) {
    let answer = function.invoke(event).await.unwrap().expect("an HTTP request always gets an HTTP answer");
    (answer["statusCode"].as_u64().unwrap(), serde_json::from_str(answer["body"].as_str().unwrap()).unwrap())
}

#[tokio::test]
async fn with_aws_out_of_reach_a_schedule_is_stored_and_pending_and_lists_are_unavailable() {
    let database = TestDatabase::create().await;
    let mut function = function(&database.url(REQUEST_LOGIN), "request", &closed_address()).await;

    let put = request("PUT", "/platform/lambda-config/lambda_warming", "", Some(&schedule()));
    let (status, body) = answered(&mut function, &put).await;
    assert_eq!((status, &body["sync"]["status"]), (200, &json!("pending")), "{body}");
    assert!(body["sync"]["reason"].as_str().unwrap().contains("events:ListRules"), "{body}");
    let (_, stored) =
        answered(&mut function, &request("GET", "/platform/lambda-config/lambda_warming", "", None)).await;
    assert_eq!((&stored["sync"]["status"], &stored["configValue"]), (&json!("pending"), &schedule()["configValue"]));

    for (event, dependency) in [
        (request("GET", "/platform/lambda-functions", "", None), "lambda"),
        (request("POST", "/platform/lambda-config/sync", "dryRun=true", None), "eventBridge"),
    ] {
        let (status, body) = answered(&mut function, &event).await;
        assert_eq!(
            (status, &body["code"], &body["dependency"]),
            (503, &json!("unavailable"), &json!(dependency)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn with_the_database_out_of_reach_every_route_says_so_inside_five_seconds() {
    let url = closed_address().replace("http://", "postgres://u:p@") + "/nowhere";
    let mut function = function(&url, "request", &closed_address()).await;
    for event in [
        request("GET", "/platform/lambda-config", "", None),
        request("PUT", "/platform/lambda-config/lambda_warming", "", Some(&schedule())),
        request("GET", "/platform/lambda-warming/runs", "", None),
    ] {
        let started = Instant::now();
        let answer = function.invoke(&event).await.unwrap().unwrap();
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert_eq!((&answer["statusCode"], &answer["headers"]["retry-after"]), (&json!(503), &json!("2")), "{answer}");
        assert_eq!(answer["headers"]["content-type"], "application/problem+json");
    }
    let (status, health) = answered(&mut function, &request("GET", "/platform/health", "", None)).await;
    assert_eq!((status, &health["dependencies"]["database"]), (503, &json!("down")));
}

#[tokio::test]
async fn the_hourly_reconcile_runs_with_the_workers_login_only() {
    let database = TestDatabase::create().await;
    let tick = json!({
        "source": "aws.events", "time": "2026-11-23T10:00:00Z", "detail-type": "Scheduled Event", "detail": {},
    });
    let mut worker = function(&database.url(WORKER_LOGIN), "worker", &closed_address()).await;
    let report = worker.invoke(&tick).await.unwrap().unwrap();
    assert_eq!(report["sync"]["status"], "pending", "{report}");

    let mut http = function(&database.url(REQUEST_LOGIN), "request", &closed_address()).await;
    assert!(http.invoke(&tick).await.unwrap().is_err());
    // The worker's login serves no person.
    let (status, _) = answered(&mut worker, &request("GET", "/platform/lambda-config", "", None)).await;
    assert_eq!(status, 500);
}
