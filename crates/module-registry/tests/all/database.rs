//! Faults, rows 16, 17 and 19 where this function meets them, and the count of round trips.

use std::time::{Duration, Instant};

use mgmt_testkit::database::{ConnectionMode, REQUEST_LOGIN, TestDatabase};
use mgmt_testkit::flaky_proxy::FlakyProxy;
use mgmt_testkit::gateway::{Request, Who};
use serde_json::json;

use crate::bed::{Bed, MODULES, NAVIGATION, STATE, function, path};

/// Faults, row 17.
#[tokio::test]
async fn without_the_database_every_route_is_503_inside_five_seconds() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("postgres://{REQUEST_LOGIN}:x@{}/none", listener.local_addr().unwrap());
    drop(listener);
    let function = function(&closed);
    for request in [
        Request::get(MODULES),
        Request::get(NAVIGATION),
        Request::get(STATE),
        Request::post(&path("thing", "/disable")),
        Request::post(MODULES).json(&json!({"name": "module-x", "displayName": "X"})),
    ] {
        let started = Instant::now();
        function.send(&request).await.expect(503);
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}

/// A writer that waits too long for another says so, and nothing is half-written.
/// Faults, row 19.
#[tokio::test]
async fn a_registry_that_is_locked_is_503_for_writers_and_open_for_readers() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    let holder = bed.database.admin().await;
    let lock = "begin; select from platform_module_version where scope = '' for update";
    holder.batch_execute(lock).await.unwrap();
    bed.send(&Request::post(&path("thing", "/disable"))).await.expect(503);
    bed.send(&Request::get(NAVIGATION)).await.expect(200);
    holder.batch_execute("rollback").await.unwrap();
    assert_eq!(bed.on().await, ["module-thing"]);
    bed.send(&Request::post(&path("thing", "/disable"))).await.expect(200);
}

#[tokio::test]
async fn everything_works_through_a_transaction_pooler() {
    let bed = Bed::by(ConnectionMode::PgBouncer).await;
    bed.enabled(&["a", "b>a"]).await;
    bed.admin(Request::post(&path("a", "/disable?cascade=true")), 200).await;
    bed.admin(Request::post(&path("b", "/enable?cascade=true")), 200).await;
    bed.admin(Request::put("/platform/orgs/org-a/modules/module-a", &json!({"isEnabled": false})), 201).await;
    let state = bed.admin(Request::get(STATE), 200).await;
    assert_eq!(
        state["modules"].as_array().unwrap().iter().filter(|module| module["reason"] == "dependency_off").count(),
        1
    );
}

/// Counted on the wire: a person's wait is round trips before anything else.
#[tokio::test]
async fn an_authorised_read_is_one_round_trip() {
    let database = TestDatabase::create().await;
    let proxy = FlakyProxy::to(&database.url(REQUEST_LOGIN)).await;
    let function = function(&proxy.url(&database.url(REQUEST_LOGIN)));
    let tag = function.send(&Request::get(STATE)).await.header("etag").to_owned();
    for request in [
        Request::get(MODULES),
        Request::get(MODULES).by(Who::Member),
        Request::get(NAVIGATION).by(Who::Member),
        Request::get(STATE).by(Who::Member),
        Request::get(STATE).header("if-none-match", &tag),
        Request::get(&path("ai", "")),
        Request::get(&path("ai", "/history")),
        Request::get("/platform/orgs/org-a/modules").by(Who::OrgAdmin),
    ] {
        let before = proxy.round_trips();
        let status = function.send(&request).await.status;
        assert!(status == 200 || status == 304, "{status}");
        assert_eq!(proxy.round_trips() - before, 1, "{}", request.path());
    }
}

/// Locks that anybody may take are none of ours: those that an earlier version waited for, and what a reader can hold.
/// Faults, row 47.
#[tokio::test]
async fn a_stranger_holds_nothing_that_the_registry_waits_for() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    let stranger = bed.database.admin().await;
    stranger
        .batch_execute(
            "begin; select pg_advisory_xact_lock(hashtextextended('module_mgmt.platform_module_registry', 0)), pg_notify('x', 'y');
             set local role authenticated; set local request.jwt.claims = '{\"sub\":\"u\",\"org_id\":\"org-a\"}';
             select module_name from platform_module_registry",
        )
        .await
        .unwrap();
    for lock in ["lock table platform_module_registry", "select module_name from platform_module_registry for share"] {
        let refused = stranger.batch_execute(&format!("savepoint s; {lock}")).await.unwrap_err();
        assert_eq!(refused.code().unwrap().code(), "42501", "{lock}");
        stranger.batch_execute("rollback to s").await.unwrap();
    }
    bed.admin(Request::post(&path("thing", "/disable")), 200).await;
    bed.admin(Request::put("/platform/orgs/org-a/modules/module-thing", &json!({"isEnabled": false})), 201).await;
}
