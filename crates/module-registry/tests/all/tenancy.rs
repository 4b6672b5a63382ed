//! Faults, row 11: organisations learn nothing about each other.

use mgmt_testkit::gateway::{Answer, Request, Who};
use serde_json::{Value, json};

use crate::bed::{Bed, MODULES, NAVIGATION, STATE};

fn of_org(org: &str, name: &str) -> String {
    format!("/platform/orgs/{org}/modules{}{name}", if name.is_empty() { "" } else { "/" })
}

/// All of an answer but the path, which is the client's own.
fn without_path(answer: &Answer) -> (u64, Value, std::collections::BTreeMap<String, String>) {
    let mut problem = answer.json();
    problem["instance"] = json!("");
    (answer.status, problem, answer.headers.clone())
}

#[tokio::test]
async fn another_organisation_answers_like_one_that_does_not_exist() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    bed.arrange("insert into platform_module_override (org_id, module_name, is_enabled) values ('org-b', 'module-thing', false)").await;
    for who in [Who::Member, Who::OrgAdmin] {
        for name in ["", "module-thing", "module-none"] {
            for method in ["GET", "PUT", "DELETE"] {
                if name.is_empty() && method != "GET" {
                    continue;
                }
                let ask = async |org: &str| {
                    let request =
                        Request::new(method, &of_org(org, name)).json(&json!({})).header("if-match", "\"1\"").by(who);
                    without_path(&bed.send(&request).await)
                };
                assert_eq!(ask("org-b").await, ask("org-none").await, "{method} {name:?} as {who:?}");
                assert_eq!(ask("org-b").await.0, 404);
            }
        }
        let state =
            async |org: &str| without_path(&bed.send(&Request::get(&format!("{STATE}?orgId={org}")).by(who)).await);
        assert_eq!(state("org-b").await, state("org-none").await);
    }
    assert_eq!(bed.look("select count(*)::text from platform_module_override where org_id <> 'org-b'").await, "0");
}

/// No body and no ETag of A changes when B changes something.
#[tokio::test]
async fn what_an_organisation_overrides_shows_nowhere_else() {
    let bed = Bed::new().await;
    bed.register("thing", json!({"isEnabled": true, "navConfig": {"route": "/thing", "label": "Thing"}})).await;
    let seen = async |who: Who| {
        let mut seen = Vec::new();
        for route in [MODULES, NAVIGATION, STATE] {
            let answer = bed.send(&Request::get(route).by(who)).await.expect(200);
            seen.push((answer.header("etag").to_owned(), answer.body));
        }
        seen
    };
    let before = seen(Who::OrgAdmin).await;
    let other = Request::put(&of_org("org-b", "module-thing"), &json!({"isEnabled": false})).by(Who::OtherOrgAdmin);
    bed.send(&other).await.expect(201);
    assert_eq!(seen(Who::OrgAdmin).await, before);
    let of_b = seen(Who::OtherOrgAdmin).await;
    assert!(!of_b[0].1.contains("module-thing") && !of_b[1].1.contains("module-thing"), "{of_b:?}");
    assert!(of_b[2].1.contains("\"org_off\""));
    // The same registry under another tag: a browser that changes organisation must not keep the old one's state.
    assert_ne!(of_b[2].0, before[2].0);
}

/// An id may hold whatever an identity provider makes of it.
/// Faults, row 15.
#[tokio::test]
async fn an_organisations_id_is_only_text() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    for org in ["auth0|1", "o'; reset role; --", "ä ö", "$1", "{}", "a,b"] {
        let mut claims = Who::OrgAdmin.claims().unwrap();
        claims["org_id"] = json!(org);
        let request =
            Request::put(&of_org(org, "module-thing"), &json!({"isEnabled": false})).with_claims(Some(claims.clone()));
        bed.send(&request).await.expect(201);
        let state = bed.send(&Request::get(STATE).with_claims(Some(claims.clone()))).await.expect(200);
        assert_eq!(state.json()["orgId"], org);
        assert!(state.body.contains("\"org_off\""), "{org}");
        let again = Request::get(STATE).with_claims(Some(claims)).header("if-none-match", state.header("etag"));
        bed.send(&again).await.expect(304);
    }
}
