//! Faults, rows 9, 10, 12 and 14: who may call which route, from the function's own OpenAPI document.

use mgmt_testkit::claims;
use mgmt_testkit::gateway::{Request, Who};
use mgmt_testkit::roles::{self, Expected};
use serde_json::{Value, json};

use crate::bed::{Bed, MODULES, NAVIGATION, STATE, path, permitted};

/// What each role gets, in the order of `EVERYBODY`, and a request that would succeed. The module `thing` is there; each role
/// finds it as it was, because only the last role, the platform admin, may change it.
fn expected(method: &str, route: &str) -> Option<Expected> {
    let signed_in = |request| Some(([401, 200, 200, 200, 200], request));
    let platform_admin = |request, status| Some(([401, 403, 403, 403, status], request));
    let org_admin = |request, status| Some(([401, 403, status, 404, status], request));
    let own = "/platform/orgs/org-a/modules";
    let thing = path("thing", "");
    match (method, route) {
        ("get", MODULES | NAVIGATION | STATE) => signed_in(Request::get(route)),
        ("get", "/platform/modules/{name}") => signed_in(Request::get(&thing)),
        ("post", MODULES) => {
            platform_admin(Request::post(MODULES).json(&json!({"name": "module-new", "displayName": "New"})), 201)
        }
        ("put", "/platform/modules/{name}") => {
            platform_admin(Request::put(&thing, &json!({"displayName": "Thing"})).header("if-match", "*"), 200)
        }
        ("delete", "/platform/modules/{name}") => platform_admin(Request::new("DELETE", &path("other", "")), 204),
        ("post", "/platform/modules/{name}/enable") => platform_admin(Request::post(&path("thing", "/enable")), 200),
        ("post", "/platform/modules/{name}/disable") => {
            platform_admin(Request::post(&path("thing", "/disable?dryRun=true")), 200)
        }
        ("get", "/platform/modules/{name}/history") => platform_admin(Request::get(&path("thing", "/history")), 200),
        ("get", "/platform/orgs/{orgId}/modules") => org_admin(Request::get(own), 200),
        ("get", "/platform/orgs/{orgId}/modules/{name}") => {
            org_admin(Request::get(&format!("{own}/module-thing")), 200)
        }
        ("put", "/platform/orgs/{orgId}/modules/{name}") => {
            let request = Request::put(&format!("{own}/module-thing"), &json!({"isEnabled": true}));
            Some(([401, 403, 200, 404, 200], request))
        }
        ("delete", "/platform/orgs/{orgId}/modules/{name}") => {
            org_admin(Request::new("DELETE", &format!("{own}/module-thing")), 204)
        }
        _ => None,
    }
}

/// A new route without a line above fails here.
/// Faults, rows 12 and 14.
#[tokio::test]
async fn every_route_answers_every_role_as_the_table_says() {
    let document: Value = serde_json::to_value(module_registry::openapi()).unwrap();
    let bed = Bed::new().await;
    bed.enabled(&["thing", "other"]).await;
    let own = "insert into platform_module_override (org_id, module_name) values ('org-a', 'module-thing') on conflict do nothing";
    let operations =
        roles::check_every_operation(&bed.function, &document, expected, async || bed.arrange(own).await).await;
    assert_eq!(operations, 14, "the table has a line for a route that is gone");
}

/// Faults, row 9.
#[tokio::test]
async fn whoever_has_no_identity_gets_the_same_401() {
    let bed = Bed::new().await;
    for route in [MODULES, NAVIGATION, STATE, "/platform/orgs/org-a/modules"] {
        let mut answers = Vec::new();
        for claims in claims::without_identity() {
            answers.push(bed.send(&Request::get(route).with_claims(claims)).await.expect(401).json());
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    }
}

/// Authority that came as an array, an object, a header or a query is none.
/// Faults, row 10.
#[tokio::test]
async fn claim_tricks_grant_nothing() {
    let bed = Bed::new().await;
    bed.register("locked", json!({"isEnabled": true, "requiredPermissions": ["locked.use"]})).await;
    let write = Request::post(&path("locked", "/disable"));
    for claims in claims::forged("is_platform_admin") {
        bed.send(&write.clone().with_claims(Some(claims.clone()))).await.expect(403);
        bed.send(&Request::get(&path("locked", "")).with_claims(Some(claims))).await.expect(404);
    }
    for permissions in ["[locked.use]", "map[locked.use:true]", "locked.use2", "xlocked.use", "locked.use,other"] {
        let request = Request::get(&path("locked", "")).with_claims(permitted(Who::Member, permissions));
        bed.send(&request).await.expect(404);
    }
    let request = Request::get(&path("locked", "")).with_claims(permitted(Who::Member, "other locked.use"));
    bed.send(&request).await.expect(200);
    let request = write.by(Who::Member).header("x-is-platform-admin", "true").header("x-amzn-oidc-data", "admin");
    bed.send(&request).await.expect(403);
    assert_eq!(bed.on().await, ["module-locked"]);
}
