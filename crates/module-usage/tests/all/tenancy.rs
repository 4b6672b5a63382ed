//! Faults, row 11 for usage: an organisation learns nothing about another one.

mod duplicates;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mgmt_testkit::gateway::{Answer, Request, Who};
use serde_json::{Value, json};

use crate::bed::{BATCH, Bed, STATS};
use crate::values::{event, message};

fn batch(who: Who, event: &Value) -> Request {
    Request::post(BATCH).json(&json!({ "events": [event] })).by(who)
}

/// Faults, row 11.
#[tokio::test]
async fn the_same_id_in_another_organisation_is_another_event() {
    let bed = Bed::new().await;
    let accepted = bed.send(&batch(Who::Member, &event(1))).await.expect(200);
    let other = bed.send(&batch(Who::OtherOrgAdmin, &event(1))).await.expect(200);
    assert_eq!((accepted.body.clone(), accepted.headers), (other.body, other.headers));
    assert_eq!(bed.deliver(&[message("org-c", "u", &event(1))]).await, json!({"batchItemFailures": []}));
    assert_eq!(bed.counted().await, (3, 3, 0));
    assert_eq!(bed.send(&batch(Who::OtherOrgAdmin, &event(1))).await.json()["duplicates"], 1);
}

/// Faults, row 11.
#[tokio::test]
async fn answers_are_the_same_whatever_another_organisation_does() {
    let (quiet, busy) = (Bed::new().await, Bed::new().await);
    for bed in [&quiet, &busy] {
        bed.send(&batch(Who::OrgAdmin, &event(1))).await.expect(200);
    }
    let others: Vec<String> = (2..60).map(|n| message("org-b", &format!("u{n}"), &event(n))).collect();
    busy.deliver(&others).await;
    busy.deliver(&["{}".into(), message("org-b", "u", &json!({"x": 1}))]).await;
    busy.arrange(
        "insert into platform_module_override (org_id, module_name, is_enabled) values ('org-b', 'module-ai', false)",
    )
    .await;
    for path in [
        STATS.to_owned(),
        format!("{STATS}?orgId=org-a"),
        format!("{STATS}?orgId=org-b"),
        format!("{STATS}?orgId=org-nobody"),
        "/platform/modules/usage".into(),
        "/platform/modules/usage?orgId=org-b".into(),
        "/platform/modules/module-none/usage/stats".into(),
    ] {
        for accept in ["application/json", "text/csv"] {
            let request = Request::get(&path).by(Who::OrgAdmin).header("accept", accept);
            let [one, two] = [quiet.send(&request).await, busy.send(&request).await];
            assert_eq!((one.status, &one.headers, &one.body), (two.status, &two.headers, &two.body), "{path}");
        }
    }
    // Another organisation's id and one that does not exist are the same.
    let without_path = |org: &str| Request::get(&format!("{STATS}?orgId={org}")).by(Who::OrgAdmin);
    assert_eq!(
        busy.send(&without_path("org-b")).await.expect(404).body,
        busy.send(&without_path("org-x")).await.expect(404).body
    );
}

/// A cursor is only compared with: it shows nobody else's lines, and does not tell whether the line that it names exists.
/// Faults, row 11.
#[tokio::test]
async fn a_cursor_of_another_organisation_shows_own_lines_only_and_tells_nothing() {
    let bed = Bed::new().await;
    for org in ["org-0", "org-a", "org-b"] {
        bed.deliver(&[message(org, "u1", &event(1)), message(org, "u2", &event(2))]).await;
    }
    let page =
        |who: Who, query: &str| Request::get(&format!("{STATS}?limit=1{query}")).by(who).header("accept", "text/csv");
    // The platform admin's pages: behind org-0, and behind org-b.
    let first = bed.send(&page(Who::PlatformAdmin, "")).await.expect(200);
    let cursor =
        |answer: &Answer| answer.header("link").split("&cursor=").nth(1).unwrap().split('>').next().unwrap().to_owned();
    let behind_0 = cursor(&first);
    let second = bed.send(&page(Who::PlatformAdmin, &format!("&cursor={behind_0}"))).await.expect(200);
    assert!(second.body.contains(",\"org-a\","), "{second:?}");
    let decoded = |cursor: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).unwrap()).unwrap();
    let naming = |org: &str| URL_SAFE_NO_PAD.encode(decoded(&behind_0).replace("org-0", org));
    for (there, nowhere, sees) in [("org-0", "org-1", true), ("org-b", "org-c", false)] {
        let [one, two] = [there, nowhere].map(|org| page(Who::OrgAdmin, &format!("&cursor={}", naming(org))));
        let (one, two) = (bed.send(&one).await.expect(200), bed.send(&two).await.expect(200));
        assert_eq!((&one.headers, &one.body), (&two.headers, &two.body), "{there}");
        assert_eq!(one.body.contains(",\"org-a\",\"module-ai\",2,"), sees, "{one:?}");
        assert!(!one.body.contains("org-0") && !one.body.contains("org-b"), "{one:?}");
        assert_eq!(one.header("link"), "");
    }
}

#[tokio::test]
async fn platform_admins_see_one_organisation_or_all() {
    let bed = Bed::new().await;
    bed.deliver(&[
        message("org-a", "u1", &event(1)),
        message("org-b", "u1", &event(2)),
        message("org-b", "u2", &event(3)),
    ])
    .await;
    for (query, total, users) in [("", 3, 2), ("?orgId=org-a", 1, 1), ("?orgId=org-b", 2, 2), ("?orgId=org-c", 0, 0)] {
        let stats = bed.send(&Request::get(&format!("{STATS}{query}"))).await.expect(200).json();
        assert_eq!(
            (&stats["summary"]["total"], &stats["summary"]["uniqueUsers"]),
            (&json!(total), &json!(users)),
            "{query}"
        );
    }
}

/// Faults, row 44.
#[tokio::test]
async fn a_flood_of_events_over_http_is_braked_for_its_organisation_alone() {
    let bed = Bed::new().await;
    let mut number = 0;
    let mut next = || {
        number += 1;
        event(number)
    };
    bed.count(&[next()]).await;
    let full =
        "update platform_module_rate set requests = 60000, minute = date_trunc('minute', now()) where kind = 'usage'";
    bed.arrange(full).await;
    let batch = Request::post("/platform/modules/usage").json(&json!({"events": [next()]}));
    let one = Request::post("/platform/modules/module-ai/usage").json(&next());
    for request in [&batch, &one] {
        let answer = bed.send(&request.clone().by(Who::Member)).await;
        // The minute may have ended.
        if answer.status != 429 {
            bed.arrange(full).await;
        }
        let answer = bed.send(&request.clone().by(Who::Member)).await.expect(429);
        assert_eq!(answer.code(), "too_many_requests");
    }
    bed.send(&batch.clone().by(Who::OtherOrgAdmin)).await.expect(200);
    // The queue is not braked.
    let answer = bed.deliver(&[message("org-a", "u1", &next())]).await;
    assert_eq!(answer.to_string(), r#"{"batchItemFailures":[]}"#);
}
