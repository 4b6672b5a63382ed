use mgmt_testkit::database::TestDatabase;
use serde_json::json;

use crate::bed::{Bed, WAYS};
use mgmt_testkit::gateway::{Request, Who};

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
    let nowhere = "postgres://u:secret@127.0.0.1:1/db".to_owned();
    let bed = Bed::with_urls(database, (nowhere.clone(), nowhere)).await;
    let answer = bed.send(&Request::get("/platform/health").by(Who::Nobody)).await.expect(503);
    assert_eq!(answer.json(), json!({"status": "degraded", "dependencies": {"database": "down"}}));
}
