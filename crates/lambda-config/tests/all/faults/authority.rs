//! Faults, rows 9, 10, 12 and 14: who may call which route, from the function's own OpenAPI document.

use mgmt_testkit::claims;
use mgmt_testkit::gateway::{Request, Who};
use mgmt_testkit::roles::{self, Expected};
use serde_json::{Value, json};

use crate::bed::{Bed, SYNC, WARMING};
use crate::values::{body, office};

/// What each role gets, in the order of `EVERYBODY`, and a request that would succeed.
fn expected(method: &str, path: &str) -> Option<Expected> {
    let platform_admin = |request: Request| Some(([401, 403, 403, 403, 200], request));
    match (method, path) {
        ("get", "/platform/lambda-config") => platform_admin(Request::get(path)),
        ("get", "/platform/lambda-config/{configKey}") => platform_admin(Request::get(WARMING)),
        ("put", "/platform/lambda-config/{configKey}") => platform_admin(Request::put(WARMING, &body(&office()))),
        ("delete", "/platform/lambda-config/{configKey}") => {
            Some(([401, 403, 403, 403, 204], Request::new("DELETE", "/platform/lambda-config/theme")))
        }
        ("post", "/platform/lambda-config/sync") => platform_admin(Request::post(SYNC)),
        ("post", "/platform/lambda-config/{configKey}/preview") => {
            platform_admin(Request::post(&format!("{WARMING}/preview")).json(&body(&office())))
        }
        ("get", "/platform/lambda-functions" | "/platform/lambda-warming/runs") => platform_admin(Request::get(path)),
        ("get", "/platform/health") => Some(([200; 5], Request::get(path))),
        _ => None,
    }
}

/// A new route without a line above fails here.
/// Faults, rows 12 and 14.
#[tokio::test]
async fn every_route_answers_every_role_as_the_table_says() {
    let bed = Bed::new().await;
    bed.arrange("insert into platform_lambda_config (config_key, config_value) values ('theme', '1')").await;
    let document: Value = serde_json::to_value(lambda_config::openapi()).unwrap();
    let operations = roles::check_every_operation(&bed.function, &document, expected, async || {}).await;
    assert_eq!(operations, 9, "the table has a line for a route that is gone");
}

/// An unknown key and one that exists are refused alike.
/// Faults, row 11.
#[tokio::test]
async fn refusals_tell_nothing_about_what_exists() {
    let bed = Bed::new().await;
    for who in [Who::Nobody, Who::Member, Who::OrgAdmin] {
        let answers =
            ["lambda_warming", "none"].map(|key| Request::get(&format!("/platform/lambda-config/{key}")).by(who));
        let [there, not_there] = [bed.send(&answers[0]).await, bed.send(&answers[1]).await];
        let without_path = |answer: &mgmt_testkit::gateway::Answer| {
            let mut problem = answer.json();
            problem["instance"] = json!("");
            (problem, answer.headers.clone())
        };
        assert_eq!(without_path(&there), without_path(&not_there), "{who:?}");
    }
}

/// Faults, row 9.
#[tokio::test]
async fn whoever_has_no_identity_gets_the_same_401() {
    let bed = Bed::new().await;
    let mut answers = Vec::new();
    for claims in claims::without_identity() {
        let what = format!("{claims:?}");
        let answer = bed.send(&Request::get(WARMING).with_claims(claims)).await;
        assert_eq!(answer.status, 401, "{what}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

/// Faults, row 10.
#[tokio::test]
async fn claim_tricks_gain_nothing() {
    let bed = Bed::new().await;
    for trick in claims::forged("is_platform_admin") {
        for request in [Request::get(WARMING), Request::post(SYNC), Request::put(WARMING, &body(&office()))] {
            let what = trick.to_string();
            let answer = bed.send(&request.with_claims(Some(trick.clone()))).await;
            assert_eq!(answer.status, 403, "{}", &what[..what.len().min(300)]);
        }
    }
    let outside = Request::put(WARMING, &body(&office()))
        .by(Who::Member)
        .header("x-is-platform-admin", "true")
        .header("authorization", "Bearer x");
    bed.send(&outside).await.expect(403);
    let in_query = outside.edit(|event| event["rawQueryString"] = json!("is_platform_admin=true&role=platform_admin"));
    bed.send(&in_query).await.expect(400);
    assert_eq!(bed.bus.call_count(), 0);
}

/// A Lambda authorizer's context keeps its types.
#[tokio::test]
async fn a_typed_authorizer_context_counts_as_well() {
    let bed = Bed::new().await;
    let typed = json!({"lambda": {"sub": "auth0|1", "org_id": "o", "is_platform_admin": true}});
    let request = Request::get(WARMING).edit(|event| event["requestContext"]["authorizer"] = typed);
    bed.send(&request).await.expect(200);
}
