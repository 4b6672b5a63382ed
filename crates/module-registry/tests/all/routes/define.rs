//! Registering, updating and deleting; Faults, row 8.

use mgmt_testkit::gateway::Request;
use serde_json::json;

use crate::bed::{Bed, MODULES, path, put};

#[tokio::test]
async fn a_module_comes_back_as_it_was_registered() {
    let bed = Bed::new().await;
    let sent = json!({
        "name": "module-reports", "displayName": "Reports", "description": "Tells.", "type": "functional", "tier": 2,
        "isInstalled": true, "version": "2.1.0-rc.1", "minCompatibleVersion": "2.0.0",
        "config": {"Max_Rows": 1.5, "a": {"b_c": null}}, "configSchema": {"type": "object"}, "featureFlags": {"new_table": true},
        "dependencies": ["module-access", "module-ai@>=1.0, <2"],
        "navConfig": {"route": "/reports", "icon": "chart", "label": "Reports", "order": 5, "adminOnly": false, "children": []},
        "requiredPermissions": ["reports.read"], "functions": ["reports", {"name": "render", "concurrency": 3}],
    });
    let answer = bed.send(&Request::post(MODULES).json(&sent)).await.expect(201);
    assert_eq!((answer.header("location"), answer.header("etag")), ("/platform/modules/module-reports", "\"1\""));
    let module = answer.json();
    for (field, value) in sent.as_object().unwrap() {
        assert_eq!(module[field], *value, "{field}");
    }
    assert_eq!(
        (&module["isEnabled"], &module["createdBy"]),
        (&json!(false), &json!("0190a000-0000-7000-8000-000000000001"))
    );
    assert_eq!(bed.admin(Request::get(&path("reports", "")), 200).await, module);

    let again = bed.send(&Request::post(MODULES).json(&sent)).await.expect(409);
    assert_eq!(again.code(), "module_exists");
}

/// Numbers that neither an integer nor a double can hold come back digit by digit.
#[tokio::test]
async fn a_config_keeps_its_digits() {
    let bed = Bed::new().await;
    let text = r#"{"name": "module-digits", "config": {"amount": 1.50, "large": 123456789012345678901234567890.12}}"#;
    let body = bed.send(&Request::post(MODULES).text(text)).await.expect(201).body;
    assert!(
        body.contains(r#""amount": 1.50"#) && body.contains(r#""large": 123456789012345678901234567890.12"#),
        "{body}"
    );
}

#[tokio::test]
async fn old_clients_may_spell_fields_in_snake_case() {
    let bed = Bed::new().await;
    let sent = json!({
        "name": "module-old", "display_name": "Old", "module_type": "core", "is_enabled": true, "is_installed": true,
        "min_compatible_version": null, "config_schema": null, "feature_flags": {}, "required_permissions": [],
        "nav_config": {"label": "Old", "route": "/old", "admin_only": true},
    });
    let module = bed.admin(Request::post(MODULES).json(&sent), 201).await;
    assert_eq!(
        (&module["type"], &module["isEnabled"], &module["navConfig"]["adminOnly"]),
        (&json!("core"), &json!(true), &json!(true))
    );
}

/// Faults, row 8.
#[tokio::test]
async fn an_update_says_which_version_it_replaces() {
    let bed = Bed::new().await;
    bed.register("thing", json!({"description": "first"})).await;
    let unconditional = Request::put(&path("thing", ""), &json!({"description": "x"}));
    assert_eq!(bed.send(&unconditional).await.expect(428).code(), "precondition_required");

    let changed = bed.send(&put("thing", &json!(1), &json!({"description": "second", "tier": 2}))).await.expect(200);
    assert_eq!((changed.header("etag"), &changed.json()["displayName"]), ("\"2\"", &json!("thing")));
    bed.admin(put("thing", &json!(2), &json!({"config": {"a": 1}})), 200).await;

    let stale = bed.send(&put("thing", &json!(1), &json!({"displayName": "Mine"}))).await.expect(412);
    assert_eq!((stale.header("etag"), stale.code()), ("\"3\"", "stale_version".to_owned()));
    assert_eq!(stale.json()["changed"], json!(["/config", "/description", "/tier"]));
    let stale = bed.send(&put("thing", &json!(2), &json!({"displayName": "Mine"}))).await.expect(412);
    assert_eq!(stale.json()["changed"], json!(["/config"]));
    bed.send(&put("none", &json!(1), &json!({}))).await.expect(404);
    for (tag, status) in [("\"0\"", 412), ("W/\"3\"", 412), ("3", 400), ("\"1\", \"3\"", 200), ("*", 200)] {
        let request = Request::put(&path("thing", ""), &json!({"tier": 3})).header("if-match", tag);
        bed.send(&request).await.expect(status);
    }
    // Other writes honour it where it is sent.
    for (method, rest) in [("POST", "/enable"), ("POST", "/disable"), ("DELETE", "")] {
        bed.send(&Request::new(method, &path("thing", rest)).header("if-match", "\"1\"")).await.expect(412);
    }
}

#[tokio::test]
async fn two_updates_of_one_version_have_one_winner() {
    let bed = Bed::new().await;
    bed.register("thing", json!({})).await;
    let update = |text: &str| put("thing", &json!(1), &json!({ "description": text }));
    let (one, two) = (update("one"), update("two"));
    let (one, two) = tokio::join!(bed.send(&one), bed.send(&two));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

#[tokio::test]
async fn null_empties_and_absent_keeps() {
    let bed = Bed::new().await;
    bed.register("thing", json!({"description": "d", "navConfig": {"label": "T", "route": "/t"}, "configSchema": {}}))
        .await;
    let kept = bed.admin(put("thing", &json!(1), &json!({"tier": 1})), 200).await;
    assert_eq!((&kept["description"], &kept["navConfig"]["label"]), (&json!("d"), &json!("T")));
    let emptied = json!({"description": null, "navConfig": null, "configSchema": null, "minCompatibleVersion": null});
    let emptied = bed.admin(put("thing", &json!(2), &emptied), 200).await;
    for field in ["description", "navConfig", "configSchema"] {
        assert!(emptied[field].is_null(), "{field}");
    }
}

#[tokio::test]
async fn put_changes_neither_the_name_nor_whether_a_module_is_enabled() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    bed.admin(put("thing", &json!(1), &json!({"name": "module-thing", "isEnabled": true, "tier": 2})), 200).await;
    let answer =
        bed.send(&put("thing", &json!(2), &json!({"name": "module-other", "isEnabled": false}))).await.expect(422);
    assert_eq!(answer.pointers(), ["/name", "/isEnabled"]);
}

#[tokio::test]
async fn a_deleted_module_is_gone_and_its_name_free() {
    let bed = Bed::new().await;
    bed.enabled(&["base", "user>base"]).await;
    bed.admin(Request::put("/platform/orgs/org-a/modules/module-user", &json!({"isEnabled": false})), 201).await;
    let refused = bed.send(&Request::new("DELETE", &path("base", ""))).await.expect(409);
    assert_eq!((refused.code(), &refused.json()["modules"]), ("has_dependents".to_owned(), &json!(["module-user"])));
    bed.admin(Request::new("DELETE", &path("user", "")), 204).await;
    bed.send(&Request::get(&path("user", ""))).await.expect(404);
    bed.send(&Request::new("DELETE", &path("user", ""))).await.expect(404);
    bed.admin(Request::new("DELETE", &path("base", "")), 204).await;
    let module = bed.register("user", json!({})).await;
    assert_eq!((&module["rowVersion"], &module["dependencies"]), (&json!(3), &json!([])));
    // What an organisation had said about the old one does not hold for the new one.
    let own = bed.admin(Request::get("/platform/orgs/org-a/modules/module-user"), 200).await;
    assert!(own["override"].is_null(), "{own}");
    assert_eq!(bed.send(&Request::new("DELETE", &path("access", ""))).await.expect(409).code(), "has_dependents");
}
