use mgmt_testkit::database::ConnectionMode;
use mgmt_testkit::direct_and_through_pgbouncer;
use mgmt_testkit::gateway::Request;
use serde_json::{Value, json};

use crate::bed::{Bed, WARMING};
use crate::values::{body, office};

direct_and_through_pgbouncer!(all_configs_are_listed_by_key_with_every_field);
async fn all_configs_are_listed_by_key_with_every_field(mode: ConnectionMode) {
    let bed = Bed::by(mode).await;
    bed.send(&Request::put(
        "/platform/lambda-config/zeta",
        &json!({"configValue": {"some_key": 1}, "description": "Z"}),
    ))
    .await
    .expect(201);
    bed.send(&Request::put("/platform/lambda-config/alpha", &json!({"configValue": null, "isActive": false})))
        .await
        .expect(201);
    let answer = bed.send(&Request::get("/platform/lambda-config")).await.expect(200);
    assert_eq!(answer.header("content-type"), "application/json");
    let configs = answer.json();
    let keys: Vec<&str> = configs.as_array().unwrap().iter().map(|c| c["configKey"].as_str().unwrap()).collect();
    assert_eq!(keys, ["alpha", "lambda_warming", "zeta"]);
    assert_eq!(configs[0]["configValue"], Value::Null);
    assert_eq!(configs[0]["isActive"], false);
    let zeta = configs[2].as_object().unwrap();
    let fields: Vec<&String> = zeta.keys().collect();
    assert_eq!(
        fields,
        [
            "configKey",
            "configValue",
            "createdAt",
            "createdBy",
            "description",
            "id",
            "isActive",
            "rowVersion",
            "updatedAt",
            "updatedBy"
        ]
    );
    assert_eq!(zeta["createdBy"], "0190a000-0000-7000-8000-000000000001");
    assert_eq!(zeta["configValue"], json!({"some_key": 1}));
    assert_eq!(configs[1]["sync"]["status"], "pending", "{configs}");
}

#[tokio::test]
async fn a_fresh_platform_has_a_schedule_that_is_off() {
    let bed = Bed::new().await;
    let answer = bed.send(&Request::get(WARMING)).await.expect(200);
    assert_eq!(answer.json()["configValue"]["enabled"], false);
    assert_eq!(answer.header("etag"), "\"1\"");
}

#[tokio::test]
async fn a_known_version_is_answered_304_without_a_body() {
    let bed = Bed::new().await;
    let path = "/platform/lambda-config/theme";
    bed.send(&Request::put(path, &body(&json!({"a": 1})))).await.expect(201);
    let check = async |tags: &str, status: u64| {
        let answer = bed.send(&Request::get(path).header("if-none-match", tags)).await.expect(status);
        assert_eq!(answer.header("etag"), "\"1\"", "{tags}");
        assert_eq!(answer.header("cache-control"), "private, no-cache", "{tags}");
        assert_eq!(answer.body.is_empty(), status == 304, "{tags}");
    };
    check("\"1\"", 304).await;
    check("W/\"1\"", 304).await;
    check("\"0\", \"1\"", 304).await;
    check("*", 304).await;
    check("\"2\"", 200).await;
    check("1", 200).await;
}

/// The rules may follow later without a new row version.
#[tokio::test]
async fn a_pending_schedule_is_never_answered_from_a_cache() {
    let bed = Bed::new().await;
    let asked = Request::get(WARMING).header("if-none-match", "\"1\"");
    let pending = bed.send(&asked).await.expect(200);
    assert_eq!(pending.header("cache-control"), "no-store");
    bed.save(&office()).await;
    bed.send(&Request::get(WARMING).header("if-none-match", "\"2\"")).await.expect(304);
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let bed = Bed::new().await;
    for path in ["/platform/lambda-config/none", "/platform", "/", "/platform/lambda-config/a/b", "/platform/lambda"] {
        let answer = bed.send(&Request::get(path)).await.expect(404);
        assert_eq!(answer.code(), "not_found");
        assert_eq!(answer.json()["instance"], path);
    }
}

/// Ids of other providers are opaque text, and the old columns hold UUIDs only.
#[tokio::test]
async fn an_actor_that_is_no_uuid_leaves_the_old_columns_empty() {
    let bed = Bed::new().await;
    let mut claims = mgmt_testkit::gateway::Who::PlatformAdmin.claims().unwrap();
    claims["sub"] = json!("auth0|1");
    let put = Request::put("/platform/lambda-config/a", &body(&json!(1))).with_claims(Some(claims));
    let config = bed.send(&put).await.expect(201).json()["config"].clone();
    assert_eq!((&config["createdBy"], &config["updatedBy"]), (&Value::Null, &Value::Null));
}
