use mgmt_testkit::database::ConnectionMode;
use mgmt_testkit::direct_and_through_pgbouncer;
use mgmt_testkit::gateway::Request;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::values::body;

const PATH: &str = "/platform/lambda-config/theme";

direct_and_through_pgbouncer!(a_put_creates_then_replaces_and_counts_versions);
async fn a_put_creates_then_replaces_and_counts_versions(mode: ConnectionMode) {
    let bed = Bed::by(mode).await;
    let created = bed.send(&Request::put(PATH, &body(&json!({"a": 1})))).await.expect(201);
    assert_eq!(created.header("etag"), "\"1\"");
    assert_eq!(created.json()["config"]["isActive"], true);
    assert_eq!(created.json().get("sync"), None, "only lambda_warming has rules");
    let replaced = bed.send(&Request::put(PATH, &body(&json!({"b": 2})))).await.expect(200);
    assert_eq!(replaced.header("etag"), "\"2\"");
    let config = &replaced.json()["config"];
    assert_eq!((&config["configValue"], &config["rowVersion"]), (&json!({"b": 2}), &json!(2)));
    assert_eq!(config["id"], created.json()["config"]["id"]);
    assert_eq!(config["createdAt"], created.json()["config"]["createdAt"]);
    assert_eq!(bed.bus.call_count(), 0, "a config without rules is no business of EventBridge");
}

#[tokio::test]
async fn what_a_put_leaves_out_stays() {
    let bed = Bed::new().await;
    let put = async |body: Value| bed.send(&Request::put(PATH, &body)).await.json()["config"].clone();
    put(json!({"configValue": 1, "description": "Colours", "isActive": false})).await;
    let kept = put(json!({"configValue": 2})).await;
    assert_eq!((&kept["description"], &kept["isActive"]), (&json!("Colours"), &json!(false)));
    let changed = put(json!({"configValue": 2, "description": "", "isActive": true})).await;
    assert_eq!((&changed["description"], &changed["isActive"]), (&json!(""), &json!(true)));
}

#[tokio::test]
async fn both_spellings_of_a_field_are_one_field() {
    let bed = Bed::new().await;
    let old = json!({"config_value": {"x": 1}, "is_active": false, "description": "old client"});
    let config = bed.send(&Request::put(PATH, &old)).await.expect(201).json()["config"].clone();
    assert_eq!((&config["configValue"], &config["isActive"]), (&json!({"x": 1}), &json!(false)));
    let twice = r#"{"configValue": 1, "config_value": 2}"#;
    bed.send(&Request::new("PUT", PATH).text(twice)).await.expect(400);
}

direct_and_through_pgbouncer!(a_value_comes_back_as_it_was_sent);
async fn a_value_comes_back_as_it_was_sent(mode: ConnectionMode) {
    let bed = Bed::by(mode).await;
    for value in [
        r#"{"snake_key": 1, "camelKey": {"UPPER": [null, true, ""]}}"#,
        "123456789012345678901234567890.123456789",
        "-0.000000000000000000001",
        "18446744073709551616",
        r#""text with \"quotes\", a \\ and ümläut 🦀""#,
        "[]",
        "null",
        "false",
    ] {
        let put = bed.send(&Request::new("PUT", PATH).text(format!(r#"{{"configValue":{value}}}"#))).await;
        let raw = |body: &str| {
            let start = body.find(r#""configValue":"#).unwrap() + r#""configValue":"#.len();
            let end = body.find(r#","description""#).unwrap();
            body[start..end].to_owned()
        };
        let same = |answer: &str| {
            let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            let exact = value.parse::<f64>().is_err() || raw(answer) == value;
            exact && parse(&raw(answer)) == parse(value)
        };
        assert!(same(&put.body), "{value} became {}", put.body);
        let got = bed.send(&Request::get(PATH)).await.expect(200);
        assert!(same(&got.body), "{value} became {}", got.body);
    }
}

direct_and_through_pgbouncer!(a_stale_if_match_is_412_with_the_current_tag_and_what_changed);
/// Faults, row 8, where If-Match is optional.
async fn a_stale_if_match_is_412_with_the_current_tag_and_what_changed(mode: ConnectionMode) {
    let bed = Bed::by(mode).await;
    let put = async |tag: &str, body: Value| bed.send(&Request::put(PATH, &body).header("if-match", tag)).await;
    bed.send(&Request::put(PATH, &json!({"configValue": 1, "description": "one"}))).await.expect(201);
    put("\"1\"", body(&json!(2))).await.expect(200);

    let stale = put("\"1\"", json!({"configValue": 3, "description": "one", "isActive": false})).await.expect(412);
    let problem = stale.json();
    assert_eq!(problem["currentEtag"], "\"2\"");
    assert_eq!(stale.header("etag"), "\"2\"");
    assert_eq!(problem["changed"], json!(["/configValue", "/isActive"]));
    assert_eq!(bed.send(&Request::get(PATH)).await.json()["configValue"], 2, "a stale save was stored");

    put("*", body(&json!(4))).await.expect(200);
    put("\"9\", \"3\"", body(&json!(5))).await.expect(200);
    put("W/\"4\"", body(&json!(6))).await.expect(412);
    put("4", body(&json!(6))).await.expect(400);
}

#[tokio::test]
async fn if_match_of_something_that_is_not_there_creates_nothing() {
    let bed = Bed::new().await;
    for tag in ["\"1\"", "*"] {
        let answer = bed.send(&Request::put(PATH, &body(&json!(1))).header("if-match", tag)).await.expect(412);
        assert_eq!(answer.header("etag"), "", "{answer:?}");
    }
    bed.send(&Request::get(PATH)).await.expect(404);
}

/// Faults, row 8: of two saves of the same version, one wins.
#[tokio::test]
async fn two_admins_who_save_the_same_version_do_not_overwrite_each_other() {
    let bed = Bed::new().await;
    bed.send(&Request::put(PATH, &body(&json!(0)))).await.expect(201);
    let save =
        async |value: u8| bed.send(&Request::put(PATH, &body(&json!(value))).header("if-match", "\"1\"")).await.status;
    let (one, other) = tokio::join!(save(1), save(2));
    let mut statuses = [one, other];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

/// Two creations of the same key at once: both are saves, and the answers say which came first.
#[tokio::test]
async fn two_creations_at_once_are_one_creation_and_one_replacement() {
    let bed = Bed::new().await;
    let put = async || bed.send(&Request::put(PATH, &body(&json!(1)))).await;
    let (one, other) = tokio::join!(put(), put());
    let mut seen = [(one.status, one.header("etag").to_owned()), (other.status, other.header("etag").to_owned())];
    seen.sort();
    assert_eq!(seen, [(200, "\"2\"".into()), (201, "\"1\"".into())]);
}

#[tokio::test]
async fn keys_and_descriptions_have_limits() {
    let bed = Bed::new().await;
    let check = async |key: &str, description: &str, status: u64, pointers: &[&str]| {
        let body = json!({"configValue": 1, "description": description});
        let answer = bed.send(&Request::put(&format!("/platform/lambda-config/{key}"), &body)).await;
        assert_eq!(answer.status, status, "{key}: {answer:?}");
        assert_eq!(if status == 422 { answer.pointers() } else { Vec::new() }, pointers, "{key}");
    };
    check(&"k".repeat(100), &"ü".repeat(2000), 201, &[]).await;
    check(&"ü".repeat(100), "", 201, &[]).await;
    check("a key|with.odd:marks", "", 201, &[]).await;
    check(&"k".repeat(101), &"d".repeat(2001), 422, &["", "/description"]).await;
    check(" outer", "", 422, &[""]).await;
}
