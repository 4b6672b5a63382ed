//! The audit of a module.

use mgmt_testkit::gateway::{Request, Who};
use serde_json::{Value, json};

use crate::bed::{Bed, path, put};

async fn history(bed: &Bed, name: &str) -> Vec<Value> {
    bed.admin(Request::get(&path(name, "/history")), 200).await.as_array().unwrap().clone()
}

#[tokio::test]
async fn every_change_is_told_with_who_what_and_in_which_request() {
    let bed = Bed::new().await;
    bed.enabled(&["base", "user>base"]).await;
    bed.admin(put("user", &json!(1), &json!({"displayName": "New", "config": {"a": 1}})), 200).await;
    bed.admin(
        Request::post(&path("base", "/disable?cascade=true"))
            .edit(|event| event["requestContext"]["requestId"] = json!("request-1")),
        200,
    )
    .await;
    let own = Request::put("/platform/orgs/org-a/modules/module-base", &json!({"config": {"x": 1}})).by(Who::OrgAdmin);
    bed.send(&own).await.expect(404);
    bed.admin(Request::post(&path("user", "/enable?cascade=true")), 200).await;
    bed.send(&Request::put("/platform/orgs/org-a/modules/module-user", &json!({"isEnabled": false})).by(Who::OrgAdmin))
        .await
        .expect(201);
    bed.send(&Request::new("DELETE", "/platform/orgs/org-a/modules/module-user").by(Who::OrgAdmin)).await.expect(204);
    bed.admin(Request::new("DELETE", &path("user", "")), 204).await;

    let entries = history(&bed, "user").await;
    let actions: Vec<&str> = entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["delete", "override_remove", "override", "enable", "disable", "update", "register"]);
    assert!(
        entries
            .iter()
            .all(|entry| entry["actor"] == "0190a000-0000-7000-8000-000000000001" && entry["requestId"] == "request-1")
    );
    let update = &entries[5];
    assert_eq!(update["before"], json!({"displayName": "user", "config": {}}));
    assert_eq!(update["after"], json!({"displayName": "New", "config": {"a": 1}}));
    assert_eq!((&entries[2]["orgId"], &entries[6]["before"]), (&json!("org-a"), &Value::Null));
    let of_base = history(&bed, "base").await;
    assert_eq!(of_base[1]["action"], "disable");
}

#[tokio::test]
async fn the_history_comes_in_pages() {
    let bed = Bed::new().await;
    bed.register("thing", json!({})).await;
    for _ in 0..4 {
        bed.admin(Request::put(&path("thing", ""), &json!({"tier": 2})).header("if-match", "*"), 200).await;
    }
    let mut target = path("thing", "/history?limit=2");
    let mut seen = 0;
    loop {
        let answer = bed.send(&Request::get(&target)).await.expect(200);
        seen += answer.json().as_array().unwrap().len();
        let Some(next) = answer.header("link").split_once('>') else { break };
        next.0.trim_start_matches('<').clone_into(&mut target);
    }
    assert_eq!(seen, 5);
    // A cursor is only a number: what is sent instead is refused, and no number reaches another module.
    bed.send(&Request::get(&path("thing", "/history?before=1;drop"))).await.expect(400);
    assert_eq!(bed.admin(Request::get(&path("thing", "/history?before=-5")), 200).await, json!([]));
    bed.send(&Request::get(&path("none", "/history"))).await.expect(404);
}
