//! FAULTS rows 9, 10, 12 and 14: who may call which route, from the function's own OpenAPI document.

use mgmt_testkit::gateway::{EVERYBODY, Request, Who};
use serde_json::{Value, json};

use crate::bed::{BATCH, Bed, ONE, STATS};
use crate::values::event;

/// What each role gets, in the order of [`EVERYBODY`], and a request that would succeed.
fn expected(method: &str, path: &str) -> Option<([u64; 5], Request)> {
    let one = json!({"eventType": "api_call", "status": "success"});
    match (method, path) {
        ("post", "/platform/modules/usage") => {
            Some(([401, 200, 200, 200, 200], Request::post(BATCH).json(&json!({"events": [event(1)]}))))
        }
        ("post", "/platform/modules/{name}/usage") => Some(([401, 201, 201, 201, 201], Request::post(ONE).json(&one))),
        ("get", "/platform/modules/usage") => Some(([401, 403, 200, 200, 200], Request::get(BATCH))),
        ("get", "/platform/modules/{name}/usage/stats") => Some(([401, 403, 200, 200, 200], Request::get(STATS))),
        _ => None,
    }
}

/// A new route without a line above fails here.
#[tokio::test]
async fn rows_12_and_14_every_route_answers_every_role_as_the_table_says() {
    let bed = Bed::new().await;
    let document: Value = serde_json::to_value(module_usage::openapi()).unwrap();
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let (statuses, request) =
                expected(method, path).unwrap_or_else(|| panic!("{method} {path} is not in the table of roles"));
            for (who, status) in EVERYBODY.into_iter().zip(statuses) {
                let answer = bed.send(&request.clone().by(who)).await;
                assert_eq!(answer.status, status, "{method} {path} as {who:?}: {answer:?}");
            }
            operations += 1;
        }
    }
    assert_eq!(operations, 4, "the table has a line for a route that is gone");
    // Two organisations sent the same id.
    assert_eq!(bed.counted().await, (6, 6, 0));
}

#[tokio::test]
async fn row_9_whoever_has_no_identity_gets_the_same_401_and_counts_nothing() {
    let bed = Bed::new().await;
    let claims = |change: &dyn Fn(&mut Value)| {
        let mut claims = Who::Member.claims().unwrap();
        change(&mut claims);
        Some(claims)
    };
    let mut bodies = Vec::new();
    for claims in [
        None,
        claims(&|c| c["role"] = json!("service_role")),
        claims(&|c| c["role"] = json!("anon")),
        claims(&|c| c["is_anonymous"] = json!(true)),
        claims(&|c| drop(c.as_object_mut().unwrap().remove("sub"))),
        claims(&|c| drop(c.as_object_mut().unwrap().remove("org_id"))),
        claims(&|c| c["org_id"] = json!("[org-a org-b]")),
    ] {
        let request = Request::post(BATCH).json(&json!({"events": [event(1)]})).with_claims(claims);
        bodies.push(bed.send(&request).await.expect(401).body);
    }
    bodies.dedup();
    assert_eq!((bodies.len(), bed.counted().await), (1, (0, 0, 0)));
}

#[tokio::test]
async fn row_10_claim_tricks_read_no_figures() {
    let bed = Bed::new().await;
    for (claim, value) in [
        ("is_org_admin", json!("[true]")),
        ("is_org_admin", json!(["true"])),
        ("is_platform_admin", json!("map[true:true]")),
        ("is_platform_admin", json!(1)),
        ("roles", json!("[member org_admin]")),
        ("user_metadata", json!({"is_org_admin": true})),
        ("permissions", json!("is_platform_admin is_org_admin")),
    ] {
        let mut claims = Who::Member.claims().unwrap();
        claims[claim] = value.clone();
        for path in [BATCH, STATS] {
            let answer = bed.send(&Request::get(path).with_claims(Some(claims.clone()))).await;
            assert_eq!(answer.status, 403, "{claim}: {value}");
        }
    }
    // An org admin does not become another organisation's by asking for it.
    let request = Request::get(&format!("{STATS}?orgId=org-b")).by(Who::OrgAdmin).header("x-org-id", "org-b");
    bed.send(&request).await.expect(404);
}
