//! FAULTS rows 1 to 6: strange requests. Whatever the answer, nothing is counted.

use mgmt_testkit::gateway::{Request, Who};
use serde_json::json;

use crate::bed::{BATCH, Bed, ONE, STATS};
use crate::values::{event, with};

async fn check(bed: &Bed, request: &Request, status: u64) {
    let answer = bed.send(request).await;
    assert_eq!(answer.status, status, "{}: {answer:?}", request.event().chars().take(300).collect::<String>());
}

#[tokio::test]
async fn row_1_a_body_that_is_no_strict_json_is_400() {
    let bed = Bed::new().await;
    for path in [BATCH, ONE] {
        for text in [
            "",
            "{",
            "[]",
            "null",
            "7",
            "{}",
            r#"{"events":{}}"#,
            r#"{"eventType":"api_call","eventType":"x","status":"success"}"#,
            r#"{"events":[],"events":[]}"#,
            r#"{"eventType":"api_call","status":"success","errorMessage":"\u0000"}"#,
            r#"{"eventType":"api_call","status":"success","metadata":1e999}"#,
        ] {
            check(&bed, &Request::post(path).text(text), 400).await;
        }
    }
    // Deeper than anything is read; a batch is only split, and the one event in it is refused for its size.
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let metadata = format!(r#"{{"eventType":"api_call","status":"success","metadata":{}}}"#, deep(4_000));
    check(&bed, &Request::post(ONE).text(metadata), 400).await;
    check(&bed, &Request::post(BATCH).text(format!(r#"{{"events":{}}}"#, deep(10_000))), 200).await;
    check(&bed, &Request::post(ONE).json(&json!({"eventType": 7, "status": "success"})), 400).await;
    assert_eq!(bed.counted().await, (0, 0, 0));
}

/// A fault inside one event of a batch is that event's own: it is rejected, and the others count.
#[tokio::test]
async fn an_event_that_is_no_strict_json_is_rejected_alone() {
    let bed = Bed::new().await;
    for (number, broken) in [
        r#"{"metadata":{"a":1,"a":2},"moduleName":"module-ai","eventType":"export","status":"success"}"#,
        r#"{"status":"success","status":"success","moduleName":"module-ai","eventType":"export"}"#,
        r#"{"errorMessage":"\u0000","moduleName":"module-ai","eventType":"export","status":"success"}"#,
        "7",
        "null",
        "[]",
        "{}",
    ]
    .into_iter()
    .enumerate()
    {
        let good = event(u64::try_from(number).unwrap());
        let answer = bed.send(&Request::post(BATCH).text(format!(r#"{{"events":[{broken},{good}]}}"#))).await;
        let results = &answer.json()["results"];
        assert_eq!((answer.status, &results[0]["reason"]), (200, &json!("malformed")), "{broken}: {answer:?}");
        assert_eq!(results[1]["status"], "accepted", "{broken}: {answer:?}");
    }
    assert_eq!(bed.counted().await.0, 7);
}

#[tokio::test]
async fn row_3_too_large_requests_are_413() {
    let bed = Bed::new().await;
    let text = format!(r#"{{"events":["{}"]}}"#, "x".repeat(5 * 1024 * 1024));
    check(&bed, &Request::post(BATCH).text(text), 413).await;
    assert_eq!(bed.counted().await, (0, 0, 0));
}

#[tokio::test]
async fn row_4_a_strange_path_reaches_no_other_route() {
    let bed = Bed::new().await;
    for path in [
        "/platform/modules/%2e%2e/usage",
        "/platform/modules/../usage",
        "/platform/modules//usage",
        "/platform/modules/usage/",
        "/platform/modules/usage%3Fx=1",
        "/platform/modules/a%2Fb/usage",
        "/platform/modules/a\nb/usage",
        "/platform/modules/module-ai\\usage",
        "/prod/platform/modules/usage",
    ] {
        for method in ["GET", "POST"] {
            let request = Request::new(method, "/")
                .json(&json!({"events": [event(1)]}))
                .edit(|event| event["rawPath"] = json!(path));
            let answer = bed.send(&request).await;
            assert!([400, 404].contains(&answer.status), "{method} {path:?}: {answer:?}");
        }
    }
    assert_eq!(bed.counted().await, (0, 0, 0));
}

#[tokio::test]
async fn row_5_fields_that_are_not_ours_to_take_are_refused() {
    let bed = Bed::new().await;
    for field in ["orgId", "org_id", "userId", "user_id", "source", "role", "receivedAt", "is_platform_admin"] {
        let mut fields = with(event(1), field, "x");
        fields.as_object_mut().unwrap().remove("moduleName");
        check(&bed, &Request::post(ONE).json(&fields), 400).await;
        assert_eq!(bed.count(&[with(event(1), field, "x")]).await["results"][0]["reason"], "malformed", "{field}");
    }
    check(&bed, &Request::post(BATCH).json(&json!({"events": [], "orgId": "org-b"})), 400).await;
    let other = with(event(1), "moduleName", "module-access");
    check(&bed, &Request::post(ONE).json(&other), 422).await;
    assert_eq!(bed.counted().await, (0, 0, 0));
}

#[tokio::test]
async fn row_6_wrong_methods_and_types_are_405_and_415() {
    let bed = Bed::new().await;
    for (method, path) in
        [("PUT", BATCH), ("DELETE", BATCH), ("GET", ONE), ("POST", STATS), ("HEAD", STATS), ("OPTIONS", BATCH)]
    {
        check(&bed, &Request::new(method, path).header("origin", "https://evil.example.com"), 405).await;
    }
    for content_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        check(
            &bed,
            &Request::post(BATCH).json(&json!({"events": [event(1)]})).header("content-type", content_type),
            415,
        )
        .await;
    }
    check(&bed, &Request::get(STATS).text("{").by(Who::Member), 403).await;
    assert_eq!(bed.counted().await, (0, 0, 0));
}
