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

/// Faults, row 43: it was 201, and then held the registry for half a minute at every override.
#[tokio::test]
async fn a_schema_that_doubles_with_every_line_is_refused_at_once() {
    let bed = Bed::new().await;
    let mut definitions = serde_json::Map::new();
    for n in 0..22 {
        let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
        definitions.insert(format!("d{n}"), json!({"anyOf": [next, next]}));
    }
    definitions.insert("d22".to_owned(), json!({"type": "string"}));
    let schema = json!({"$ref": "#/$defs/d0", "$defs": definitions});
    let started = std::time::Instant::now();
    let request = Request::post("/platform/modules").json(&json!({"name": "module-x", "configSchema": schema}));
    assert_eq!(bed.send(&request).await.expect(422).pointers(), ["/configSchema"]);
    assert!(started.elapsed() < std::time::Duration::from_secs(2), "{:?}", started.elapsed());
}

/// Faults, row 41.
#[tokio::test]
async fn what_costs_more_than_its_size_is_refused() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    let own = "/platform/orgs/org-a/modules/module-thing";
    let numbers = format!("{{\"config\":{{\"x\":[{}]}}}}", vec!["1e-16383"; 1_000].join(","));
    let put = |body: &str| {
        Request::put(own, &json!({})).edit(|event| event["body"] = json!(body)).by(mgmt_testkit::gateway::Who::OrgAdmin)
    };
    bed.send(&put(&numbers)).await.expect(400);
    bed.send(&put(&format!("{{\"config\":{{\"x\":{}}}}}", "9".repeat(400)))).await.expect(400);
    let large = json!({"config": {"x": "y".repeat(70_000)}}).to_string();
    assert_eq!(bed.send(&put(&large)).await.expect(422).pointers(), ["/config"]);
    for (field, bytes) in
        [("config", 65_536), ("configSchema", 65_536), ("featureFlags", 16_384), ("navConfig", 32_768)]
    {
        let value = if field == "navConfig" {
            json!({"label": "L", "children": vec![json!({"label": "x".repeat(200), "route": "/x"}); 190]})
        } else {
            json!({"title": "x".repeat(bytes)})
        };
        let request = Request::post("/platform/modules").json(&json!({"name": "module-y", field: value}));
        let pointers = bed.send(&request).await.expect(422).pointers();
        assert!(pointers.contains(&format!("/{field}")), "{field}: {pointers:?}");
    }
}

#[tokio::test]
async fn a_query_that_a_route_does_not_take_is_refused_everywhere() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    for request in [
        Request::get("/platform/navigation?x=1"),
        Request::get("/platform/modules/module-thing?x=1"),
        Request::get("/platform/orgs/org-a/modules/module-thing?x=1"),
        Request::new("DELETE", "/platform/orgs/org-a/modules/module-thing?x=1"),
        Request::post("/platform/modules?x=1").json(&json!({"name": "module-x"})),
        Request::put(&path("thing", "?x=1"), &json!({})).header("if-match", "*"),
        Request::get("/platform/modules?x=1"),
        Request::get("/platform/modules/state?x=1"),
        Request::get("/platform/modules/state?orgId=%00"),
    ] {
        bed.send(&request).await.expect(400);
    }
    assert_eq!(
        bed.look("select count(*)::text from platform_module_registry where module_name = 'module-x'").await,
        "0"
    );
}

#[tokio::test]
async fn names_and_labels_hold_nothing_that_nobody_sees() {
    let bed = Bed::new().await;
    for (field, value) in [
        ("displayName", json!("Re\u{202e}port")),
        ("displayName", json!("ad\u{200b}min")),
        ("navConfig", json!({"label": "a\u{2066}b"})),
        ("requiredPermissions", json!(["a\u{200b}b"])),
    ] {
        let request = Request::post("/platform/modules").json(&json!({"name": "module-x", field: value}));
        bed.send(&request).await.expect(422);
    }
}
