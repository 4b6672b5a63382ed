//! GET of statistics and exports.

use jiff::{SignedDuration, Timestamp};
use mgmt_testkit::gateway::{Request, Who};
use serde_json::{Value, json};

use crate::bed::{Bed, STATS};
use crate::values::{event, id_at, message, with};

/// Events of users on days of the weeks before: day (ago), user, type, status, duration.
pub(super) async fn bed() -> (Bed, Vec<String>) {
    let bed = Bed::new().await;
    let noon = Timestamp::now().as_millisecond() / 86_400_000 * 86_400_000;
    let day = |ago: i64| {
        Timestamp::from_millisecond(noon).unwrap().checked_sub(SignedDuration::from_hours(24 * ago)).unwrap()
    };
    let uses = [
        (20, "u1", "api_call", "success", Some(100)),
        (20, "u2", "api_call", "failure", Some(300)),
        (19, "u1", "api_call", "success", None),
        (19, "u1", "page_view", "partial", Some(0)),
        (5, "u3", "api_call", "success", Some(200)),
    ];
    let messages: Vec<String> = uses
        .iter()
        .zip(1..)
        .map(|((ago, user, kind, status, duration), number)| {
            let mut event = json!({"id": id_at(number, day(*ago).as_millisecond()), "moduleName": "module-ai", "eventType": kind, "status": status});
            if let Some(duration) = duration {
                event["durationMs"] = json!(duration);
            }
            message("org-a", user, &event)
        })
        .collect();
    assert_eq!(bed.deliver(&messages).await, json!({"batchItemFailures": []}));
    let days = (0..=35).map(|ago| day(ago).to_string()[..10].to_owned()).collect();
    (bed, days)
}

fn get(query: &str) -> Request {
    Request::get(&format!("{STATS}?{query}")).by(Who::OrgAdmin)
}

#[tokio::test]
async fn a_summary_holds_for_the_whole_period() {
    let (bed, days) = bed().await;
    let query = format!("startDate={}&endDate={}", days[21], days[0]);
    let stats = bed.send(&get(&query)).await.expect(200).json();
    assert_eq!(
        stats["summary"],
        json!({
            "total": 5, "successes": 3, "failures": 1, "partials": 1, "successRate": 0.6, "averageDurationMs": 150.0,
            "minDurationMs": 0, "maxDurationMs": 300, "durationCount": 4, "uniqueUsers": 3,
        })
    );
    let series = stats["series"].as_array().unwrap();
    assert_eq!((series.len(), &stats["timeZone"], &stats["orgId"]), (22, &json!("UTC"), &json!("org-a")));
    let at = |ago: usize| series.iter().find(|bucket| bucket["start"] == json!(days[ago])).unwrap();
    assert_eq!((&at(20)["total"], &at(20)["uniqueUsers"]), (&json!(2), &json!(2)));
    assert_eq!((&at(19)["total"], &at(19)["uniqueUsers"]), (&json!(2), &json!(1)));
    assert_eq!(
        (&at(18)["total"], &at(18)["successRate"], &at(18)["uniqueUsers"]),
        (&json!(0), &Value::Null, &json!(0))
    );

    let only = bed.send(&get(&format!("{query}&eventType=api_call&source=sqs"))).await.expect(200).json();
    assert_eq!((&only["summary"]["total"], &only["summary"]["uniqueUsers"]), (&json!(4), &json!(3)));
    let none = bed.send(&get(&format!("{query}&source=http"))).await.expect(200).json();
    assert_eq!((&none["summary"]["total"], &none["summary"]["successRate"]), (&json!(0), &Value::Null));
    // Users of two days are no sum.
    let two = bed.send(&get(&format!("startDate={}&endDate={}", days[20], days[19]))).await.json();
    assert_eq!((&two["summary"]["total"], &two["summary"]["uniqueUsers"]), (&json!(4), &json!(2)));
}

#[tokio::test]
async fn weeks_are_iso_weeks_and_buckets_are_cut_by_the_period() {
    let bed = Bed::new().await;
    for (start, end, granularity, expected) in [
        ("2026-11-03", "2026-11-11", "weekly", "2026-W45 2026-11-03 2026-11-08,2026-W46 2026-11-09 2026-11-11"),
        ("2026-12-31", "2027-01-04", "weekly", "2026-W53 2026-12-31 2027-01-03,2027-W01 2027-01-04 2027-01-04"),
        (
            "2024-02-28",
            "2024-04-01",
            "monthly",
            "2024-02 2024-02-28 2024-02-29,2024-03 2024-03-01 2024-03-31,2024-04 2024-04-01 2024-04-01",
        ),
        ("2026-03-28", "2026-03-29", "daily", "2026-03-28 2026-03-28 2026-03-28,2026-03-29 2026-03-29 2026-03-29"),
    ] {
        let stats = bed
            .send(&get(&format!("startDate={start}&endDate={end}&granularity={granularity}")))
            .await
            .expect(200)
            .json();
        let text = |bucket: &Value, key: &str| bucket[key].as_str().unwrap().to_owned();
        let series: Vec<String> = stats["series"]
            .as_array()
            .unwrap()
            .iter()
            .map(|bucket| format!("{} {} {}", text(bucket, "label"), text(bucket, "start"), text(bucket, "end")))
            .collect();
        assert_eq!(series.join(","), expected);
    }
}

#[tokio::test]
async fn weekly_and_monthly_users_are_counted_over_the_bucket() {
    let (bed, days) = bed().await;
    let stats = bed.send(&get(&format!("startDate={}&endDate={}&granularity=monthly", days[21], days[0]))).await.json();
    let totals: i64 = stats["series"].as_array().unwrap().iter().map(|bucket| bucket["total"].as_i64().unwrap()).sum();
    assert_eq!(totals, 5);
    for bucket in stats["series"].as_array().unwrap() {
        let query =
            format!("startDate={}&endDate={}", bucket["start"].as_str().unwrap(), bucket["end"].as_str().unwrap());
        let alone = bed.send(&get(&query)).await.json();
        assert_eq!(alone["summary"]["uniqueUsers"], bucket["uniqueUsers"], "{bucket}");
    }
}

#[tokio::test]
async fn all_modules_are_listed_with_their_figures() {
    let (bed, days) = bed().await;
    bed.count(&[with(event(1), "moduleName", "module-access"), with(event(2), "moduleName", "module-none")]).await;
    let path = format!("/platform/modules/usage?startDate={}", days[30]);
    let usage = bed.send(&Request::get(&path).by(Who::OrgAdmin)).await.expect(200).json();
    let modules: Vec<String> = usage["modules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|module| format!("{} {}", module["moduleName"].as_str().unwrap(), module["total"]))
        .collect();
    assert_eq!(
        (modules.join(","), &usage["summary"]["total"], &usage["rejected"]),
        ("module-access 1,module-ai 5".into(), &json!(6), &json!(1))
    );
}

#[tokio::test]
async fn an_unknown_module_is_404_and_one_without_use_is_all_zero() {
    let bed = Bed::new().await;
    bed.send(&get("")).await.expect(200);
    bed.send(&Request::get("/platform/modules/module-none/usage/stats")).await.expect(404);
    bed.arrange(
        "update platform_module_registry set is_enabled = false where module_name in ('module-ai', 'module-mgmt')",
    )
    .await;
    bed.send(&get("")).await.expect(200);
}

#[tokio::test]
async fn questions_that_make_no_sense_are_422_or_400() {
    let bed = Bed::new().await;
    for (query, pointers) in [
        ("startDate=2026-11-02&endDate=2026-11-01", "endDate"),
        ("startDate=2000-01-01&endDate=2026-11-01", "startDate"),
        ("startDate=yesterday&endDate=2026-13-01", "startDate,endDate"),
        ("startDate=2026-11-01T00:00:00Z", "startDate"),
        ("granularity=hourly&eventType=x&source=fax", "granularity,eventType,source"),
    ] {
        assert_eq!(bed.send(&get(query)).await.expect(422).pointers().join(","), pointers, "{query}");
    }
    for query in ["x=1", "startDate=2026-11-01&startDate=2026-11-02", "org_id=org-b"] {
        bed.send(&get(query)).await.expect(400);
    }
}
