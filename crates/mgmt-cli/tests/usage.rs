//! `mgmt usage` against an API that answers as module-usage does, and against a database.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

use std::process::Output;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use mgmt_testkit::database::{TestDatabase, WORKER_LOGIN};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

async fn mgmt(arguments: &[&str], variables: &[(&str, &str)]) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mgmt"));
    command.arg("usage").args(arguments).envs(variables.iter().copied());
    let output = command.output().await.unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

/// Answers CSV for up to three days, 413 beyond; what was asked for.
async fn api(asked: Arc<Mutex<Vec<String>>>) -> String {
    let router = Router::new().fallback(move |request: Request| {
        let asked = Arc::clone(&asked);
        async move {
            let target = request.uri().to_string();
            asked.lock().unwrap().push(target.clone());
            let date = |name: &str| -> jiff::civil::Date {
                target.split(&format!("{name}=")).nth(1).unwrap()[..10].parse().unwrap()
            };
            let (start, end) = (date("startDate"), date("endDate"));
            if request.headers()["accept"] != "text/csv" {
                let figures = json!({"total": 3, "successes": 2, "failures": 1, "partials": 0, "successRate": 0.666_667, "averageDurationMs": 12.5, "uniqueUsers": 2});
                return json!({"summary": figures, "series": [], "modules": [], "rejected": 4}).to_string().into_response();
            }
            if (end - start).get_days() >= 3 {
                return (StatusCode::PAYLOAD_TOO_LARGE, json!({"detail": "too large"}).to_string()).into_response();
            }
            format!("start,end\r\n{start},{end}\r\n").into_response()
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn an_export_is_cut_into_slices_that_fit_and_has_one_header() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let url = api(Arc::clone(&asked)).await;
    let variables = [("MODULE_MGMT_URL", url.as_str()), ("MODULE_MGMT_TOKEN", "secret")];
    let period = ["--from", "2026-11-01", "--to", "2026-11-08"];
    let (output, text) = mgmt(&[&["export", "--org", "a b"], period.as_slice()].concat(), &variables).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        text,
        "start,end\r\n2026-11-01,2026-11-02\r\n2026-11-03,2026-11-04\r\n2026-11-05,2026-11-06\r\n2026-11-07,2026-11-08\r\n"
    );
    assert!(asked.lock().unwrap().iter().all(|target| target.ends_with("granularity=daily&orgId=a%20b")));
    // A week cannot be cut: its users would be counted twice.
    let weekly = [&["export", "--granularity", "weekly"], period.as_slice()].concat();
    let (output, _) = mgmt(&weekly, &variables).await;
    assert_eq!(output.status.code(), Some(1));

    let (output, text) = mgmt(&[&["stats", "--module", "module-ai"], period.as_slice()].concat(), &variables).await;
    assert!(output.status.success() && text.contains("66.7 %") && text.contains("4 items were refused"), "{text}");
    assert!(asked.lock().unwrap().last().unwrap().starts_with("/platform/modules/module-ai/usage/stats?"));
    let (_, text) = mgmt(&[&["stats", "--json"], period.as_slice()].concat(), &variables).await;
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["rejected"], 4);
}

#[tokio::test]
async fn verify_finds_every_difference_and_can_rebuild() {
    let database = TestDatabase::create().await;
    let admin = database.admin().await;
    admin
        .batch_execute(
            "set role module_mgmt_worker;
             select module_mgmt.record_usage('[{\"event_id\": \"0190a000-0000-7000-8000-000000000001\", \"org_id\": \"o\", \"user_id\": \"u\",
               \"module_name\": \"module-ai\", \"event_type\": \"api_call\", \"status\": \"success\", \"occurred_at\": \"2024-07-11T12:00:00Z\",
               \"content_hash\": \"\\\\x00000000000000000000000000000000\"}]'); reset role",
        )
        .await
        .unwrap();
    let url = database.url(WORKER_LOGIN);
    let variables = [("DATABASE_URL", url.as_str())];
    let verify = ["verify", "--from", "2024-07-10", "--to", "2024-07-12", "--json"];
    let found = async |arguments: &[&str]| {
        let (output, text) = mgmt(arguments, &variables).await;
        let report: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (output.status.code(), report["days"].as_u64(), report["differences"].as_array().unwrap().len())
    };
    assert_eq!(found(&verify).await, (Some(0), Some(3), 0));
    admin.batch_execute("update platform_module_usage_daily set total = 2, successes = 2").await.unwrap();
    assert_eq!(found(&verify).await, (Some(1), Some(3), 1));
    assert_eq!(found(&[&verify[..], &["--rebuild"]].concat()).await, (Some(0), Some(3), 1));
    assert_eq!(found(&verify).await, (Some(0), Some(3), 0));
    admin.batch_execute("delete from platform_module_usage_daily").await.unwrap();
    assert_eq!(found(&verify).await.2, 1);
    admin
        .batch_execute("insert into platform_module_usage_day values ('2024-07-11', 1, now(), false, now())")
        .await
        .unwrap();
    assert_eq!(found(&verify).await, (Some(0), Some(2), 0));
}
