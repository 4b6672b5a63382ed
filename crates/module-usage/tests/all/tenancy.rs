//! FAULTS row 11 for usage: an organisation learns nothing about another one.

use mgmt_testkit::gateway::{Request, Who};
use serde_json::{Value, json};

use crate::bed::{BATCH, Bed, STATS};
use crate::values::{event, message};

fn batch(who: Who, event: &Value) -> Request {
    Request::post(BATCH).json(&json!({ "events": [event] })).by(who)
}

#[tokio::test]
async fn row_11_the_same_id_in_another_organisation_is_another_event() {
    let bed = Bed::new().await;
    let accepted = bed.send(&batch(Who::Member, &event(1))).await.expect(200);
    let other = bed.send(&batch(Who::OtherOrgAdmin, &event(1))).await.expect(200);
    assert_eq!((accepted.body.clone(), accepted.headers), (other.body, other.headers));
    assert_eq!(bed.deliver(&[message("org-c", "u", &event(1))]).await, json!({"batchItemFailures": []}));
    assert_eq!(bed.counted().await, (3, 3, 0));
    assert_eq!(bed.send(&batch(Who::OtherOrgAdmin, &event(1))).await.json()["duplicates"], 1);
}

#[tokio::test]
async fn row_11_answers_are_the_same_whatever_another_organisation_does() {
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
