//! Faults, rows 9, 10, 12 and 14: who may call which route, from the function's own OpenAPI document.

use mgmt_testkit::claims;
use mgmt_testkit::gateway::{Request, Who};
use mgmt_testkit::roles::{self, Expected};
use serde_json::{Value, json};

use crate::bed::{BATCH, Bed, ONE, STATS};
use crate::values::event;

/// What each role gets, in the order of `EVERYBODY`, and a request that would succeed.
fn expected(method: &str, path: &str) -> Option<Expected> {
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
/// Faults, rows 12 and 14.
#[tokio::test]
async fn every_route_answers_every_role_as_the_table_says() {
    let bed = Bed::new().await;
    let document: Value = serde_json::to_value(module_usage::openapi()).unwrap();
    let operations = roles::check_every_operation(&bed.function, &document, expected, async || {}).await;
    assert_eq!(operations, 4, "the table has a line for a route that is gone");
    // Two organisations sent the same id.
    assert_eq!(bed.counted().await, (6, 6, 0));
}

/// Faults, row 9.
#[tokio::test]
async fn whoever_has_no_identity_gets_the_same_401_and_counts_nothing() {
    let bed = Bed::new().await;
    let mut bodies = Vec::new();
    for claims in claims::without_identity() {
        let request = Request::post(BATCH).json(&json!({"events": [event(1)]})).with_claims(claims);
        bodies.push(bed.send(&request).await.expect(401).body);
    }
    bodies.dedup();
    assert_eq!((bodies.len(), bed.counted().await), (1, (0, 0, 0)));
}

/// Faults, row 10.
#[tokio::test]
async fn claim_tricks_read_no_figures() {
    let bed = Bed::new().await;
    let forged = ["is_org_admin", "is_platform_admin"].into_iter().flat_map(claims::forged);
    for claims in forged {
        for path in [BATCH, STATS] {
            let answer = bed.send(&Request::get(path).with_claims(Some(claims.clone()))).await;
            assert_eq!(answer.status, 403, "{:.300}", claims.to_string());
        }
    }
    // An org admin does not become another organisation's by asking for it.
    let request = Request::get(&format!("{STATS}?orgId=org-b")).by(Who::OrgAdmin).header("x-org-id", "org-b");
    bed.send(&request).await.expect(404);
}
