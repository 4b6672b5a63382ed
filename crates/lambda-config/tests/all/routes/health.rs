use std::time::{Duration, Instant};

use lambda_config::settings::Settings;
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_common::web::serve::Service;
use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase};
use mgmt_testkit::gateway::{Request, Who};
use mgmt_testkit::unreachable::{self, Unreachable};
use serde_json::json;

use crate::bed::{Bed, WAYS, send, settings};

#[tokio::test]
async fn health_needs_no_identity() {
    for way in WAYS {
        let bed = Bed::by(way).await;
        let answer = bed.send(&Request::get("/platform/health").by(Who::Nobody)).await.expect(200);
        assert_eq!(answer.json(), json!({"status": "ok", "dependencies": {"database": "ok"}}));
    }
}

/// FAULTS row 17: the route says which dependency is down, and nothing else about it.
#[tokio::test]
async fn row_17_health_says_that_the_database_is_down() {
    let database = TestDatabase::create().await;
    let mut ways = unreachable::ways(&database, REQUEST_LOGIN).await;
    let refused = "postgres://u:secret@127.0.0.1:1/db".to_owned();
    ways.push(Unreachable { what: "refused", url: refused, ca_pem: None });
    for Unreachable { what, url, ca_pem } in ways {
        let settings = settings(url, DatabaseRole::Request, None);
        let database = DatabaseSettings { ca_pem, ..settings.database };
        says_down(what, &lambda_config::service(Settings { database, ..settings })).await;
    }
}

/// The only connection waits for a lock.
#[tokio::test]
async fn row_17_health_says_that_the_database_is_down_when_the_pool_is_exhausted() {
    let database = TestDatabase::create().await;
    let patient = format!("{}?options=-c%20lock_timeout=0", database.url(REQUEST_LOGIN));
    let settings = settings(patient, DatabaseRole::Request, None);
    let pool = DatabaseSettings { pool_size: Some(1), ..settings.database };
    let service = lambda_config::service(Settings { database: pool, ..settings });
    let admin = database.admin().await;
    admin.batch_execute("begin; lock table platform_lambda_config in access exclusive mode").await.unwrap();
    let held = tokio::spawn({
        let service = service.clone();
        async move { send(&service, &Request::get("/platform/lambda-config")).await.status }
    });
    let waiting = "select count(*) from pg_locks where not granted and relation = 'platform_lambda_config'::regclass";
    while admin.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    says_down("pool", &service).await;
    assert_eq!(held.await.unwrap(), 503);
}

async fn says_down(what: &str, service: &Service) {
    let started = Instant::now();
    let answer = send(service, &Request::get("/platform/health").by(Who::Nobody)).await.expect(503);
    assert!(started.elapsed() < Duration::from_secs(5), "{what}: took {:?}", started.elapsed());
    assert_eq!(answer.json(), json!({"status": "degraded", "dependencies": {"database": "down"}}), "{what}");
}
