//! The usage layer over the sink that counts in Postgres itself.

mod counted;
mod refused;
mod trouble;

use std::time::Duration;

use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use mgmt_testkit::database::TestDatabase;
use module_mgmt_host::usage::{UsageLayer, UsageRecorder};
use module_mgmt_host_postgres::{PostgresLogin, PostgresSink};
use module_mgmt_protocol::caller::ClaimNames;
use module_mgmt_protocol::usage::{EventStatus, EventType, UsageEvent, UsageMessage};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use tower::{Layer as _, ServiceExt as _};

/// Longer than a loaded machine takes to connect and count; no test waits for it.
const PATIENCE: Duration = Duration::from_secs(10);
const RAW: &str =
    "select concat_ws('|', org_id, user_id, module_name, event_type, source, status, error_code, endpoint, http_method)
    from platform_module_usage";
const DAILY: &str =
    "select concat_ws('|', org_id, module_name, event_type, source, total, successes, failures, unique_users)
    from platform_module_usage_daily";
const REJECTS: &str =
    "select concat_ws('|', org_id, user_id, source, reason, detail) from platform_module_usage_reject";

/// A database whose module-orders is on and whose module-off is not.
async fn registered() -> TestDatabase {
    let database = TestDatabase::create().await;
    let modules = "insert into platform_module_registry (module_name, display_name, is_enabled)
        values ('module-orders', 'Orders', true), ('module-off', 'Off', false)";
    database.admin().await.batch_execute(modules).await.unwrap();
    database
}

fn sink(url: String) -> PostgresSink {
    PostgresSink::new(PostgresLogin::new(url))
}

fn recorder(module: &str, sink: PostgresSink, patience: Duration) -> UsageRecorder {
    UsageRecorder::with(module, sink, patience, ClaimNames::default())
}

/// A request by this user through the layer; the handler takes 20 ms and gives this answer.
async fn handled(recorder: &UsageRecorder, org: &str, user: &str, answer: &Value) -> Value {
    let request = json!({
        "routeKey": "GET /orders/{id}", "rawPath": "/orders/7",
        "requestContext": {"stage": "$default", "http": {"method": "GET", "path": "/orders/7"},
            "authorizer": {"jwt": {"claims": {"sub": user, "org_id": org}}}},
    });
    let given = answer.clone();
    let handler = service_fn(move |_: LambdaEvent<Value>| {
        let answer = given.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok::<_, Error>(answer)
        }
    });
    let event = LambdaEvent::new(to_raw_value(&request).unwrap(), Context::default());
    let passed = UsageLayer::new(recorder.clone()).layer(handler).oneshot(event).await.unwrap();
    serde_json::from_str(passed.get()).unwrap()
}

fn answer() -> Value {
    json!({"statusCode": 404, "headers": {}, "body": json!({"code": "order_not_found"}).to_string()})
}

fn message(org: &str, user: &str) -> UsageMessage {
    let event = UsageEvent {
        id: Some(uuid_now()),
        module_name: Some("module-orders".into()),
        event_type: EventType::Export,
        event_action: None,
        endpoint: None,
        http_method: None,
        duration_ms: Some(7),
        status: EventStatus::Success,
        error_code: None,
        metadata: None,
        error_message: None,
        occurred_at: None,
    };
    UsageMessage { org_id: org.into(), user_id: user.into(), event }
}

fn uuid_now() -> String {
    mgmt_common::usage::id::make().0.to_string()
}

/// The first column of each row, as superuser.
async fn look(database: &TestDatabase, statement: &str) -> Vec<String> {
    let rows = database.admin().await.query(statement, &[]).await.unwrap();
    let mut rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    rows.sort_unstable();
    rows
}
