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
    assert_eq!(
        update["changes"],
        json!([{"path": "/config/a", "after": 1}, {"path": "/displayName", "before": "user", "after": "New"}])
    );
    assert_eq!(entries[2]["orgId"], "org-a");
    assert_eq!(entries[6]["changes"][0], json!({"path": "/config", "after": {}}));
    let of_base = history(&bed, "base").await;
    assert_eq!(of_base[1]["action"], "disable");
}

#[tokio::test]
async fn the_history_of_the_module_and_of_its_overrides_can_be_told_apart() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    let own = Request::put("/platform/orgs/org-a/modules/module-thing", &json!({"isEnabled": false})).by(Who::OrgAdmin);
    bed.send(&own).await.expect(201);
    for (scope, expected) in [("platform", "register"), ("organisations", "override")] {
        let entries = bed.admin(Request::get(&path("thing", &format!("/history?scope={scope}"))), 200).await;
        let actions: Vec<&str> =
            entries.as_array().unwrap().iter().filter_map(|entry| entry["action"].as_str()).collect();
        assert_eq!(actions, [expected], "{scope}");
    }
    bed.send(&Request::get(&path("thing", "/history?scope=all"))).await.expect(400);
}

/// A change of one word in a large config is one word in the audit, and a large value is cut.
/// Faults, row 45.
#[tokio::test]
async fn the_audit_keeps_what_changed_and_no_copies() {
    let bed = Bed::new().await;
    let large: serde_json::Map<String, Value> =
        (0..500).map(|n| (format!("k{n:03}"), json!("x".repeat(100)))).collect();
    bed.register("thing", json!({"config": large})).await;
    bed.admin(put("thing", &json!(1), &json!({"config": {"k000": 1, "a/b": {"c": [1, 2]}}})), 200).await;
    bed.admin(put("thing", &json!(2), &json!({"config": {"k000": 1, "a/b": {"c": [1, 3]}}})), 200).await;
    let entries = history(&bed, "thing").await;
    assert_eq!(entries[0]["changes"], json!([{"path": "/config/a~1b/c/1", "before": 2, "after": 3}]));
    let all_at_once = entries[1]["changes"].as_array().unwrap();
    assert_eq!((all_at_once.len(), &all_at_once[99]["more"]), (100, &json!(401)));
    assert!(entries[2]["changes"][0]["after"].as_str().unwrap().ends_with('…'), "{}", entries[2]["changes"][0]);
    let longest = bed.look("select max(pg_column_size(changes::text))::text from platform_module_audit").await;
    assert!(longest.parse::<u32>().unwrap() < 20_000, "{longest}");
}

/// Faults, row 45.
#[tokio::test]
async fn the_audit_has_an_age_and_only_what_is_old_leaves() {
    let bed = Bed::new().await;
    bed.register("thing", json!({})).await;
    let prune = "set local role module_mgmt_worker; select module_mgmt.prune_module_audit(0)::text";
    let admin = bed.database.admin().await;
    // Even if it is called with no age at all: what is younger than a month stays.
    admin.batch_execute(&format!("begin; {prune}; commit")).await.unwrap();
    assert_eq!(history(&bed, "thing").await.len(), 1);
    bed.arrange(
        "alter table platform_module_audit disable trigger forbid_change;
         update platform_module_audit set occurred_at = now() - interval '32 days' where module_name = 'module-thing';
         alter table platform_module_audit enable trigger forbid_change",
    )
    .await;
    admin.batch_execute(&format!("begin; {prune}; commit")).await.unwrap();
    assert_eq!(history(&bed, "thing").await.len(), 0);
    assert!(admin.batch_execute("delete from platform_module_audit").await.is_err());
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
