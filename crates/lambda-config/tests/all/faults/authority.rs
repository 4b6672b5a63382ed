//! FAULTS rows 9, 10, 12 and 14: who may call which route, from the function's own OpenAPI document.

use serde_json::{Value, json};

use crate::bed::{Bed, SYNC, WARMING};
use crate::values::{body, office};
use mgmt_testkit::gateway::{EVERYBODY, Request, Who};

/// What each role gets, in the order of [`EVERYBODY`], and a request that would succeed.
fn expected(method: &str, path: &str) -> Option<([u64; 5], Request)> {
    let platform_admin = |request: Request| Some(([401, 403, 403, 403, 200], request));
    match (method, path) {
        ("get", "/platform/lambda-config") => platform_admin(Request::get(path)),
        ("get", "/platform/lambda-config/{configKey}") => platform_admin(Request::get(WARMING)),
        ("put", "/platform/lambda-config/{configKey}") => platform_admin(Request::put(WARMING, &body(&office()))),
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
#[tokio::test]
async fn rows_12_and_14_every_route_answers_every_role_as_the_table_says() {
    let bed = Bed::new().await;
    let document: Value = serde_json::to_value(lambda_config::openapi()).unwrap();
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let (statuses, request) =
                expected(method, path).unwrap_or_else(|| panic!("{method} {path} is not in the table of roles"));
            // Nobody first and the admin last: a refused request changes nothing for the next.
            for (who, status) in EVERYBODY.into_iter().zip(statuses) {
                let answer = bed.send(&request.clone().by(who)).await;
                assert_eq!(answer.status, status, "{method} {path} as {who:?}: {answer:?}");
            }
            operations += 1;
        }
    }
    assert_eq!(operations, 8, "the table has a line for a route that is gone");
}

/// An unknown key and one that exists are refused alike.
#[tokio::test]
async fn row_11_refusals_tell_nothing_about_what_exists() {
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

fn claims(change: impl FnOnce(&mut Value)) -> Option<Value> {
    let mut claims = Who::PlatformAdmin.claims().unwrap();
    change(&mut claims);
    Some(claims)
}

#[tokio::test]
async fn row_9_whoever_has_no_identity_gets_the_same_401() {
    let bed = Bed::new().await;
    let mut answers = Vec::new();
    for claims in [
        None,
        Some(json!({})),
        Some(Value::Null),
        claims(|c| c["role"] = json!("service_role")),
        claims(|c| c["role"] = json!("anon")),
        claims(|c| c["is_anonymous"] = json!("true")),
        claims(|c| c["is_anonymous"] = json!(true)),
        claims(|c| drop(c.as_object_mut().unwrap().remove("sub"))),
        claims(|c| drop(c.as_object_mut().unwrap().remove("org_id"))),
        claims(|c| c["sub"] = json!("")),
        claims(|c| c["sub"] = json!("a\nb")),
        claims(|c| c["sub"] = json!("x".repeat(201))),
        claims(|c| c["sub"] = json!("[a b]")),
        claims(|c| c["org_id"] = json!("map[id:1]")),
        claims(|c| c["org_id"] = json!({"id": 1})),
    ] {
        let what = format!("{claims:?}");
        let answer = bed.send(&Request::get(WARMING).with_claims(claims)).await;
        assert_eq!(answer.status, 401, "{what}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn row_10_claim_tricks_gain_nothing() {
    let bed = Bed::new().await;
    let member = |change: &dyn Fn(&mut Value)| {
        let mut claims = Who::Member.claims().unwrap();
        change(&mut claims);
        claims
    };
    for trick in [
        member(&|c| c["is_platform_admin"] = json!("[true]")),
        member(&|c| c["is_platform_admin"] = json!("map[true:true]")),
        member(&|c| c["is_platform_admin"] = json!(["true"])),
        member(&|c| c["is_platform_admin"] = json!({"true": true})),
        member(&|c| c["is_platform_admin"] = json!(1)),
        member(&|c| c["is_platform_admin"] = json!("1")),
        member(&|c| c["is_platform_admin"] = json!("TRUE")),
        member(&|c| c["is_platform_admin"] = json!(" true ")),
        member(&|c| c["isPlatformAdmin"] = json!("true")),
        member(&|c| c["roles"] = json!("[member platform_admin]")),
        member(&|c| c["role"] = json!("platform_admin")),
        member(&|c| c["user_metadata"] = json!({"is_platform_admin": true})),
        member(&|c| c["user_metadata"] = json!("map[is_platform_admin:true]")),
        member(&|c| c["scope"] = json!("openid platform_admin is_platform_admin")),
        member(&|c| c["permissions"] = json!("is_platform_admin platform:admin")),
        member(&|c| c["sub"] = json!("u\",\"is_platform_admin\":true,\"x\":\"")),
        member(&|c| c["padding"] = json!("x".repeat(200_000))),
    ] {
        for request in [Request::get(WARMING), Request::post(SYNC), Request::put(WARMING, &body(&office()))] {
            let what = trick.to_string();
            let answer = bed.send(&request.with_claims(Some(trick.clone()))).await;
            assert_eq!(answer.status, 403, "{}", &what[..what.len().min(300)]);
        }
    }
    let outside = Request::put(WARMING, &body(&office()))
        .by(Who::Member)
        .header("x-is-platform-admin", "true")
        .header("authorization", "Bearer x")
        .edit(|event| event["rawQueryString"] = json!("is_platform_admin=true&role=platform_admin"));
    bed.send(&outside).await.expect(403);
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
