//! FAULTS row 17: the database is there, but not for us.

use std::time::{Duration, Instant};

use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_common::web::serve::Service;
use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase, WORKER_LOGIN};
use mgmt_testkit::gateway::Request;
use mgmt_testkit::unreachable;
use module_usage::settings::Settings;
use serde_json::{Value, json};

use crate::bed::{BATCH, Bed, ONE, STATS, deliver, send, settings};
use crate::values::{event, message};

fn requests() -> [Request; 5] {
    [
        Request::post(ONE).json(&json!({"eventType": "api_call", "status": "success"})),
        Request::post(BATCH).json(&json!({ "events": [event(1), event(2)] })),
        Request::get(BATCH),
        Request::get(STATS),
        Request::get(STATS).header("accept", "text/csv"),
    ]
}

/// Three messages, of which one is poison: nothing of it can be kept either.
fn messages() -> [String; 3] {
    [message("org-a", "u1", &event(3)), "poison".into(), message("org-b", "u1", &event(4))]
}

fn all_failed() -> Value {
    json!({"batchItemFailures": [{"itemIdentifier": "m-0"}, {"itemIdentifier": "m-1"}, {"itemIdentifier": "m-2"}]})
}

async fn refuses_in_time(what: &str, service: &Service, request: &Request) {
    let started = Instant::now();
    let answer = send(service, request).await.expect(503);
    assert!(started.elapsed() < Duration::from_secs(5), "{what}: {request:?} took {:?}", started.elapsed());
    assert_eq!((answer.json()["dependency"].as_str(), answer.header("retry-after")), (Some("database"), "2"), "{what}");
}

async fn reports_in_time(what: &str, service: &Service) {
    let started = Instant::now();
    assert_eq!(deliver(service, &messages()).await.unwrap(), all_failed(), "{what}");
    assert!(started.elapsed() < Duration::from_secs(5), "{what}: took {:?}", started.elapsed());
}

#[tokio::test]
async fn row_17_a_database_that_cannot_be_reached_is_503_inside_five_seconds_and_acknowledges_nothing() {
    let bed = Bed::new().await;
    let ways = async |login, role| {
        let ways = unreachable::ways(&bed.database, login).await.into_iter();
        let service = move |way: unreachable::Unreachable| {
            let settings = settings(way.url, role);
            let database = DatabaseSettings { ca_pem: way.ca_pem, ..settings.database };
            (way.what, module_usage::service(Settings { database, ..settings }))
        };
        ways.map(service)
    };
    for (what, service) in ways(REQUEST_LOGIN, DatabaseRole::Request).await {
        for request in requests() {
            refuses_in_time(what, &service, &request).await;
        }
    }
    for (what, service) in ways(WORKER_LOGIN, DatabaseRole::Worker).await {
        reports_in_time(what, &service).await;
    }
    assert_eq!(bed.counted().await, (0, 0, 0));
    assert_eq!(bed.look("select count(*)::text from platform_module_usage_reject").await, "0");
}

/// The only connection waits for a lock, and whoever comes meanwhile waits for it no longer than a request may take.
#[tokio::test]
async fn row_17_an_exhausted_pool_is_503_inside_five_seconds_and_acknowledges_nothing() {
    let database = TestDatabase::create().await;
    let service = |login: &str, role| {
        let settings = settings(format!("{}?options=-c%20lock_timeout=0", database.url(login)), role);
        let database = DatabaseSettings { pool_size: Some(1), ..settings.database };
        module_usage::service(Settings { database, ..settings })
    };
    let one = service(REQUEST_LOGIN, DatabaseRole::Request);
    let worker = service(WORKER_LOGIN, DatabaseRole::Worker);
    let admin = database.admin().await;
    admin.batch_execute("begin; lock table platform_module_usage_daily in access exclusive mode").await.unwrap();
    let held = (one.clone(), worker.clone());
    let first = tokio::spawn(async move { send(&held.0, &Request::get(STATS)).await.status });
    let counted = tokio::spawn(async move { deliver(&held.1, &[message("org-a", "u1", &event(1))]).await.unwrap() });
    let waiting = "select count(*) from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())";
    while admin.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let refusing = requests();
    let [a, b, c, d, e] = refusing.each_ref().map(|request| refuses_in_time("pool", &one, request));
    tokio::join!(a, b, c, d, e, reports_in_time("pool", &worker));
    admin.batch_execute("rollback").await.unwrap();
    // Who had the connection goes on, and nothing is left in anybody's way.
    assert_eq!((first.await.unwrap(), counted.await.unwrap()), (200, json!({"batchItemFailures": []})));
    send(&one, &Request::get(STATS)).await.expect(200);
    assert_eq!(deliver(&worker, &messages()).await.unwrap(), json!({"batchItemFailures": []}));
}
