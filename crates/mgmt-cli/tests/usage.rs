//! `mgmt usage` against the routes of module-usage, and against a database.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase, WORKER_LOGIN};
use mgmt_testkit::gateway::Request as GatewayRequest;
use mgmt_testkit::runtime_api::FunctionProcess;
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

/// Serves a router on this machine; its address.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// The real module-usage on the database, asked by a platform admin, with pages of at most three lines; what was asked for.
async fn platform(database: &TestDatabase, asked: Arc<Mutex<Vec<String>>>) -> String {
    // Beside the command, where `cargo build --workspace --bins` has put it.
    let binary = Path::new(env!("CARGO_BIN_EXE_mgmt")).with_file_name("module-usage");
    let url = database.url(REQUEST_LOGIN);
    let function = FunctionProcess::start(&binary, &[("DATABASE_URL", url.as_str())]).await;
    let function = Arc::new(tokio::sync::Mutex::new(function.unwrap_or_else(|error| panic!("{binary:?}: {error}"))));
    let asking = move |request: Request| {
        let target = request.uri().to_string();
        assert_eq!(request.headers()["authorization"], "Bearer secret");
        let accept = request.headers()["accept"].to_str().unwrap().to_owned();
        let event =
            GatewayRequest::get(&target.replace("limit=10000", "limit=3")).header("accept", &accept).event().clone();
        asked.lock().unwrap().push(target);
        let function = Arc::clone(&function);
        async move {
            let answer = function.lock().await.invoke(&event).await.unwrap().unwrap();
            let status = StatusCode::from_u16(answer["statusCode"].as_u64().unwrap().try_into().unwrap()).unwrap();
            let link = answer["headers"]["link"].as_str().map(|link| [("link", link.to_owned())]);
            let body = answer["body"].as_str().unwrap().to_owned();
            match link {
                Some(link) => (status, link, body).into_response(),
                None => (status, body).into_response(),
            }
        }
    };
    serve(Router::new().fallback(asking)).await
}

/// An export in one answer.
async fn whole(url: String) -> String {
    let get = move || {
        let request = ureq::get(url).header("accept", "text/csv").header("authorization", "Bearer secret");
        request.call().unwrap().body_mut().read_to_string().unwrap()
    };
    tokio::task::spawn_blocking(get).await.unwrap()
}

#[tokio::test]
async fn an_export_is_all_pages_with_one_header() {
    let database = TestDatabase::create().await;
    let lines = "insert into platform_module_usage_daily
        select org, day, module, 'api_call', 'http', 1, 1, 0, 0, 0, 0, 0, null, null,
          module_mgmt.usage_scope(org, day, module, 'api_call', 'http')
        from (values (date '2026-11-01', 1), ('2026-11-04', 10), ('2026-11-08', 2)) as days (day, lines),
          lateral (select 'org ' || n as org, 'module-' || m as module from generate_series(1, lines) n, generate_series(1, 2) m) of";
    database.admin().await.batch_execute(lines).await.unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let url = platform(&database, Arc::clone(&asked)).await;
    let variables = [("MODULE_MGMT_URL", url.as_str()), ("MODULE_MGMT_TOKEN", "secret")];
    let export = ["export", "--from", "2026-11-01", "--to", "2026-11-08"];
    let (output, text) = mgmt(&export, &variables).await;
    assert!(output.status.success(), "{output:?}");
    let whole = whole(format!("{url}/platform/modules/usage?startDate=2026-11-01&endDate=2026-11-08")).await;
    assert_eq!(text, whole);
    assert_eq!(text.lines().count(), 1 + 26);
    assert_eq!(asked.lock().unwrap().len(), 9 + 1, "26 lines in threes, and the whole");

    let file = std::env::temp_dir().join(format!("{}.csv", database.name));
    let one = ["--org", "org 1", "--granularity", "monthly", "--output", file.to_str().unwrap()];
    let (output, _) = mgmt(&[&export[..], &one].concat(), &variables).await;
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let of_one: Vec<_> =
        text.lines().skip(1).map(|line| line.split(',').take(6).collect::<Vec<_>>().join(" ")).collect();
    let line = |module: u8| format!("2026-11 2026-11-01 2026-11-08 \"org 1\" \"module-{module}\" 3");
    assert_eq!(of_one, [line(1), line(2)]);
    assert!(asked.lock().unwrap().last().unwrap().ends_with("&granularity=monthly&orgId=org%201&limit=10000"));
}

/// The token goes to nobody whom the platform names.
#[tokio::test]
async fn an_export_stops_where_the_next_page_would_be_elsewhere() {
    let visits = Arc::new(Mutex::new(0));
    let counting = Arc::clone(&visits);
    let elsewhere = serve(Router::new().fallback(move || async move { *counting.lock().unwrap() += 1 })).await;
    for target in [format!("{elsewhere}/platform/modules/usage?cursor=a"), elsewhere.replace("http:", "")] {
        let link = format!("<{target}>; rel=\"next\"");
        let url = serve(Router::new().fallback(move || async move { ([("link", link)], "header\r\nline\r\n") })).await;
        let variables = [("MODULE_MGMT_URL", url.as_str()), ("MODULE_MGMT_TOKEN", "secret")];
        let (output, _) = mgmt(&["export"], &variables).await;
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains("is not followed"), "{output:?}");
    }
    assert_eq!(*visits.lock().unwrap(), 0);
}

#[tokio::test]
async fn stats_are_tables_or_the_answer_itself() {
    let asked = Arc::new(Mutex::new(String::new()));
    let asking = Arc::clone(&asked);
    let router = Router::new().fallback(move |request: Request| async move {
        *asking.lock().unwrap() = request.uri().to_string();
        let figures = json!({"total": 3, "successes": 2, "failures": 1, "partials": 0, "successRate": 0.666_667, "averageDurationMs": 12.5, "uniqueUsers": 2});
        json!({"summary": figures, "series": [], "modules": [], "rejected": 4}).to_string()
    });
    let url = serve(router).await;
    let variables = [("MODULE_MGMT_URL", url.as_str()), ("MODULE_MGMT_TOKEN", "secret")];
    let (output, text) = mgmt(&["stats", "--module", "module-ai"], &variables).await;
    assert!(output.status.success() && text.contains("66.7 %") && text.contains("4 items were refused"), "{text}");
    assert!(asked.lock().unwrap().starts_with("/platform/modules/module-ai/usage/stats?"));
    let (_, text) = mgmt(&["stats", "--json"], &variables).await;
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
        .batch_execute("insert into platform_module_usage_sealed_day values ('2024-07-11', 1, now(), false, now())")
        .await
        .unwrap();
    assert_eq!(found(&verify).await, (Some(0), Some(2), 0));
}
