//! What gates follow.

use mgmt_testkit::gateway::{Request, Who};
use serde_json::{Value, json};

use crate::bed::{Bed, STATE, path, put};

fn reasons(state: &Value) -> Vec<String> {
    let of =
        |module: &Value| format!("{} {}", module["name"].as_str().unwrap(), module["reason"].as_str().unwrap_or("on"));
    state["modules"].as_array().unwrap().iter().map(of).collect()
}

#[tokio::test]
async fn every_module_is_told_with_its_reason_to_everybody() {
    let bed = Bed::new().await;
    bed.enabled(&["base", "user>base"]).await;
    bed.register("off", json!({"config": {"secret": 1}})).await;
    bed.enabled(&["gone"]).await;
    bed.admin(put("gone", &json!(1), &json!({"isInstalled": false})), 200).await;
    bed.register("locked", json!({"isEnabled": true, "requiredPermissions": ["x"]})).await;
    bed.send(&Request::put("/platform/orgs/org-a/modules/module-base", &json!({"isEnabled": false})).by(Who::OrgAdmin))
        .await
        .expect(201);
    let member = bed.send(&Request::get(STATE).by(Who::Member)).await.expect(200).json();
    assert_eq!(
        reasons(&member),
        [
            "module-access on",
            "module-ai on",
            "module-base org_off",
            "module-gone not_installed",
            "module-locked on",
            "module-mgmt on",
            "module-off platform_off",
            "module-user dependency_off"
        ]
    );
    // The answer is the organisation's: the gate asks for permissions itself.
    assert_eq!(member["modules"][4]["requiredPermissions"], json!(["x"]));
    assert_eq!(bed.send(&Request::get(STATE).by(Who::PlatformAdmin)).await.json(), member);
    let mut fields: Vec<&String> = member["modules"][6].as_object().unwrap().keys().collect();
    fields.sort_unstable();
    assert_eq!(fields, ["enabled", "name", "reason", "requiredPermissions", "type"]);
}

#[tokio::test]
async fn the_version_changes_with_every_change_and_with_nothing_else() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    let mut tag = bed.send(&Request::get(STATE)).await.header("etag").to_owned();
    for (request, changes) in [
        (Request::post(&path("thing", "/disable?dryRun=true")), false),
        (Request::post(&path("thing", "/disable")), true),
        (Request::post(&path("thing", "/disable")), false),
        (Request::put(&path("thing", ""), &json!({"requiredPermissions": ["a"]})).header("if-match", "*"), true),
        (Request::put("/platform/orgs/org-a/modules/module-thing", &json!({"isEnabled": false})), true),
        (Request::put("/platform/orgs/org-b/modules/module-thing", &json!({"isEnabled": false})), false),
        (Request::new("DELETE", &path("thing", "")), true),
    ] {
        let status = bed.send(&request).await.status;
        assert!(status < 300, "{status}");
        let answer = bed.send(&Request::get(STATE).header("if-none-match", &tag)).await;
        assert_eq!(answer.status, if changes { 200 } else { 304 }, "{}", request.path());
        answer.header("etag").clone_into(&mut tag);
        if changes {
            assert_eq!(answer.json()["version"], tag.trim_matches('"'));
        }
    }
}

#[tokio::test]
async fn a_platform_admin_may_ask_for_another_organisation() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    bed.admin(Request::put("/platform/orgs/org-b/modules/module-thing", &json!({"isEnabled": false})), 201).await;
    let state = bed.admin(Request::get(&format!("{STATE}?orgId=org-b")), 200).await;
    assert_eq!((&state["orgId"], reasons(&state)[3].as_str()), (&json!("org-b"), "module-thing org_off"));
    bed.send(&Request::get(&format!("{STATE}?orgId=org-a")).by(Who::Member)).await.expect(200);
    bed.send(&Request::get(&format!("{STATE}?orgId=org-b")).by(Who::OrgAdmin)).await.expect(404);
}
