//! Faults, rows 1, 4, 5, 6 and 15: what cannot be read, and what must not be believed.

use mgmt_testkit::gateway::Request;
use serde_json::{Value, json};

use crate::bed::{Bed, MODULES, path, put};

/// Each table of faults goes against one route; nothing is written.
async fn refused(bed: &Bed, request: impl Fn() -> Request, cases: &[(Value, u64, &str)]) {
    for (body, status, pointer) in cases {
        let answer = bed.send(&request().json(body)).await.expect(*status);
        if pointer.is_empty() {
            continue;
        }
        assert!(answer.pointers().iter().any(|found| found == pointer), "{body}: {answer:?}");
    }
}

/// Faults, row 5.
#[tokio::test]
async fn what_a_client_cannot_say_is_an_unknown_field() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    for field in [
        "id",
        "rowVersion",
        "row_version",
        "createdBy",
        "updated_by",
        "createdAt",
        "disabledAt",
        "deletedAt",
        "orgId",
        "role",
    ] {
        let body = json!({"name": "module-x", "displayName": "X", field: "1"});
        let answer = bed.send(&Request::post(MODULES).json(&body)).await.expect(400);
        assert!(answer.body.contains(field), "{answer:?}");
        bed.send(&put("thing", &json!(1), &json!({ field: "1" }))).await.expect(400);
        let own = Request::put("/platform/orgs/org-a/modules/module-thing", &json!({ field: "1" }));
        bed.send(&own).await.expect(400);
        bed.send(&Request::post(&path("thing", "/disable")).json(&json!({ field: "1" }))).await.expect(400);
    }
    assert_eq!(bed.on().await, ["module-thing"]);
}

/// Faults, rows 1 and 15.
#[tokio::test]
async fn values_that_are_not_valid_name_their_place() {
    let bed = Bed::new().await;
    let module = |fields: Value| {
        let mut body = json!({"name": "module-x", "displayName": "X"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    let cases = [
        (json!({"displayName": "X"}), 422, "/name"),
        (module(json!({"name": "x"})), 422, "/name"),
        (module(json!({"name": "module-X'; reset role; --"})), 422, "/name"),
        (module(json!({"displayName": " "})), 422, "/displayName"),
        (module(json!({"displayName": "a\u{7}"})), 422, "/displayName"),
        (module(json!({"tier": 4})), 422, "/tier"),
        (module(json!({"tier": -1})), 400, "/tier"),
        (module(json!({"type": "other"})), 400, "/type"),
        (module(json!({"version": "1.0"})), 422, "/version"),
        (module(json!({"version": "1.0.0", "minCompatibleVersion": "1.0.1"})), 422, "/minCompatibleVersion"),
        (module(json!({"config": []})), 422, "/config"),
        (module(json!({"config": {}, "configSchema": {"required": ["a"]}})), 422, "/config"),
        (module(json!({"configSchema": {"type": 7}})), 422, "/configSchema/type"),
        (module(json!({"featureFlags": "x"})), 422, "/featureFlags"),
        (module(json!({"dependencies": ["module-access", "module-ai@>=one"]})), 422, "/dependencies/1"),
        (module(json!({"navConfig": {"label": "X", "route": "javascript:alert(1)"}})), 422, "/navConfig/route"),
        (module(json!({"navConfig": {"label": "X", "children": [{"label": ""}]}})), 422, "/navConfig/children/0/label"),
        (module(json!({"navConfig": {"label": "X", "more": 1}})), 400, ""),
        (module(json!({"requiredPermissions": ["a b"]})), 422, "/requiredPermissions/0"),
        (module(json!({"functions": ["ok", {"name": "x", "concurrency": 0}]})), 422, "/functions/1/concurrency"),
        (json!([]), 400, ""),
    ];
    refused(&bed, || Request::post(MODULES), &cases).await;
    for text in
        ["{", "{\"name\":\"module-x\",\"name\":\"module-y\"}", "{\"config\":{\"a\":\"\\u0000\"}}", &"[".repeat(10_000)]
    {
        bed.send(&Request::post(MODULES).text(text)).await.expect(400);
    }
    bed.send(&Request::post(MODULES).json(&module(json!({}))).header("content-type", "text/plain")).await.expect(415);
    assert_eq!(bed.look("select count(*)::text from platform_module_registry").await, "3", "only the seed's are there");
}

/// Faults, rows 4 and 6.
#[tokio::test]
async fn strange_paths_queries_and_methods_reach_no_handler() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    for target in
        ["/platform/modules/", "/platform/modules//history", "/platform/modules/../modules", "/platform/modules/%2e%2e"]
    {
        let status = bed.send(&Request::get(target)).await.status;
        assert!(status == 400 || status == 404, "{target}: {status}");
    }
    for name in ["state2", "Module-thing", "module-thing'--", "module-%00"] {
        let status = bed.send(&Request::new("DELETE", &format!("{MODULES}/{name}"))).await.status;
        assert!(status == 400 || status == 404, "{name}: {status}");
    }
    for query in ["?cascade=maybe", "?admin=true", "?dryRun=1", "?cascade=true&cascade=false"] {
        bed.send(&Request::post(&path("thing", &format!("/disable{query}")))).await.expect(400);
    }
    bed.send(&Request::get(&format!("{MODULES}?type=other"))).await.expect(400);
    bed.send(&Request::get(&path("thing", "/history?before=x"))).await.expect(400);
    bed.send(&Request::get(&path("thing", "/history?limit=0"))).await.expect(422);
    for (method, target) in [
        ("PATCH", path("thing", "")),
        ("GET", path("thing", "/enable")),
        ("HEAD", MODULES.to_owned()),
        ("OPTIONS", MODULES.to_owned()),
    ] {
        bed.send(&Request::new(method, &target)).await.expect(405);
    }
    assert_eq!(bed.on().await, ["module-thing"]);
}
