//! POST of one event and of batches.

use mgmt_testkit::database::ConnectionMode;
use mgmt_testkit::direct_and_through_pgbouncer;
use mgmt_testkit::gateway::{Request, Who};
use serde_json::{Value, json};

use crate::bed::{BATCH, Bed, ONE};
use crate::values::{ago, event, with};

fn one(event: &Value) -> Request {
    let mut event = event.clone();
    event.as_object_mut().unwrap().remove("moduleName");
    Request::post(ONE).json(&event).by(Who::Member)
}

direct_and_through_pgbouncer!(one_event_is_201_then_200_and_with_another_content_409);
async fn one_event_is_201_then_200_and_with_another_content_409(mode: ConnectionMode) {
    let bed = Bed::by(mode).await;
    let first = with(event(1), "metadata", json!({"a": 1, "b": 2}));
    let answer = bed.send(&one(&first)).await.expect(201).json();
    assert_eq!(answer, json!({"id": first["id"], "status": "accepted"}));
    let same = with(with(first.clone(), "metadata", json!({"b": 2, "a": 1})), "occurredAt", ago(30));
    assert_eq!(bed.send(&one(&same)).await.expect(200).json()["status"], "duplicate");
    let other = bed.send(&one(&with(first.clone(), "durationMs", 11))).await.expect(409);
    assert_eq!(other.code(), "usage_conflict");
    assert_eq!(bed.counted().await, (1, 1, 0));
    let stored =
        "select concat_ws(' ', org_id, user_id, module_name, source, duration_ms, metadata) from platform_module_usage";
    let user = "0190a000-0000-7000-8000-000000000001";
    assert_eq!(bed.look(stored).await, format!("org-a {user} module-ai http 10 {{\"a\": 1, \"b\": 2}}"));
}

#[tokio::test]
async fn an_event_without_an_id_gets_one_and_is_counted_each_time() {
    let bed = Bed::new().await;
    let without = json!({"eventType": "page_view", "status": "partial"});
    let ids = [bed.send(&one(&without)).await.expect(201).json(), bed.send(&one(&without)).await.expect(201).json()];
    assert_ne!(ids[0]["id"], ids[1]["id"]);
    assert_eq!(ids[0]["id"].as_str().unwrap().chars().nth(14), Some('7'));
    assert_eq!(bed.counted().await, (2, 2, 0));
}

#[tokio::test]
async fn what_is_wrong_with_one_event_is_422_with_its_reason_and_kept() {
    let bed = Bed::new().await;
    for (event, code, pointer) in [
        (with(event(1), "id", "1"), "validation_failed", "/id"),
        (with(event(1), "id", "0190a000-0000-4000-8000-000000000001"), "validation_failed", "/id"),
        (with(event(1), "status", "ok"), "validation_failed", "/status"),
        (with(event(1), "durationMs", -1), "validation_failed", "/durationMs"),
        (with(event(1), "occurredAt", ago(-25)), "in_future", "/occurredAt"),
        (with(event(1), "occurredAt", ago(36 * 24)), "too_old", "/occurredAt"),
        (with(event(1), "id", "0190a000-0000-7000-8000-000000000001"), "too_old", "/occurredAt"),
        (with(event(1), "errorMessage", "x".repeat(9_000)), "too_large", ""),
    ] {
        let answer = bed.send(&one(&event)).await.expect(422);
        assert_eq!((answer.code().as_str(), answer.pointers()), (code, vec![pointer.to_owned()]), "{event}");
    }
    let unknown = one(&event(1)).edit(|event| event["rawPath"] = json!("/platform/modules/module-none/usage"));
    assert_eq!(bed.send(&unknown).await.expect(422).code(), "unknown_module");
    assert_eq!(bed.counted().await, (0, 0, 0));
    let kept = "select string_agg(reason || ' ' || rejects, ',' order by reason) from platform_module_usage_reject_count where org_id = 'org-a'";
    assert_eq!(bed.look(kept).await, "in_future 1,invalid 4,too_large 1,too_old 2,unknown_module 1");
    assert_eq!(bed.look("select max(length(item))::text from platform_module_usage_reject").await, "2000");
}

#[tokio::test]
async fn a_batch_is_never_all_or_nothing() {
    let bed = Bed::new().await;
    let answer = bed
        .count(&[
            event(1),
            event(1),
            with(event(1), "status", "failure"),
            with(event(2), "moduleName", "module-none"),
            json!({"x": 1}),
            json!(7),
            with(event(3), "orgId", "org-b"),
            json!({"event_type": "export", "module_name": "module-access", "status": "success", "duration_ms": 0}),
            with(event(4), "moduleName", Value::Null),
        ])
        .await;
    let results: Vec<String> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| {
            format!("{} {}", result["status"].as_str().unwrap(), result["reason"].as_str().unwrap_or_default())
                .trim()
                .to_owned()
        })
        .collect();
    assert_eq!(
        results,
        [
            "accepted",
            "duplicate",
            "conflict",
            "rejected unknown_module",
            "rejected malformed",
            "rejected malformed",
            "rejected malformed",
            "accepted",
            "rejected invalid"
        ]
    );
    assert_eq!(
        [&answer["accepted"], &answer["duplicates"], &answer["conflicts"], &answer["rejected"]],
        [&json!(2), &json!(1), &json!(1), &json!(5)]
    );
    assert_eq!(bed.counted().await, (2, 2, 0));
    assert_eq!(bed.count(&[]).await["results"], json!([]));
}

#[tokio::test]
async fn a_thousand_events_fit_and_one_more_does_not() {
    let bed = Bed::new().await;
    let long = |number| with(with(event(number), "errorMessage", "x".repeat(2_000)), "endpoint", "/".repeat(1_500));
    let events: Vec<Value> = (0..1_001).map(long).collect();
    let answer = bed.count(&events[..1_000]).await;
    assert_eq!(answer["accepted"], 1_000);
    assert_eq!(bed.counted().await, (1_000, 1_000, 0));
    bed.send(&Request::post(BATCH).json(&json!({ "events": events }))).await.expect(422);
    assert_eq!(bed.count(&events[..1_000]).await["duplicates"], 1_000);
}

/// Lambda answers at most 6 MB, whatever was sent.
#[tokio::test]
async fn an_answer_about_a_thousand_events_full_of_faults_fits_into_what_lambda_answers() {
    let bed = Bed::new().await;
    for key in ["a", r"\u0001", r#"\"\"\"\""#] {
        let fields = vec![format!("\"{key}\":0"); 4_500 / (key.len() + 5)].join(",");
        let body = format!("{{\"events\":[{}]}}", vec![format!("{{{fields}}}"); 1_000].join(","));
        let answer = bed.send(&Request::post(BATCH).text(body)).await.expect(200);
        // The gateway's answer carries the body as one string of JSON.
        let length = json!(answer.body).to_string().len();
        assert!(length < 6_000_000, "{length} bytes for {key}");
        assert_eq!(answer.json()["rejected"], 1_000);
    }
}

#[tokio::test]
async fn what_happened_before_a_module_was_disabled_counts() {
    let bed = Bed::new().await;
    let disable =
        "update platform_module_registry set is_enabled = false where module_name in ('module-ai', 'module-mgmt')";
    let late = with(event(1), "occurredAt", ago(2));
    bed.arrange(disable).await;
    let after = with(event(2), "occurredAt", ago(-1));
    let answer = bed.count(&[late.clone(), after]).await;
    assert_eq!(
        (&answer["results"][0]["status"], &answer["results"][1]["reason"]),
        (&json!("accepted"), &json!("platform_off"))
    );
    assert_eq!(bed.count(&[late]).await["duplicates"], 1);
    bed.arrange("update platform_module_registry set is_enabled = true where module_name = 'module-ai'").await;
    bed.arrange(
        "insert into platform_module_override (org_id, module_name, is_enabled) values ('org-a', 'module-ai', false)",
    )
    .await;
    let answer = bed.count(&[with(event(3), "occurredAt", ago(-1)), event(4)]).await;
    assert_eq!(
        (&answer["results"][0]["reason"], &answer["results"][1]["status"]),
        (&json!("org_off"), &json!("accepted"))
    );
    let other =
        Request::post(BATCH).json(&json!({"events": [with(event(5), "occurredAt", ago(-1))]})).by(Who::OtherOrgAdmin);
    assert_eq!(bed.send(&other).await.json()["accepted"], 1);
}
