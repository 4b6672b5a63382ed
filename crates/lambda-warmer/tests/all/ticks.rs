use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mgmt_testkit::lambda_api::FakeFunction;
use serde_json::json;

use crate::bed::{Bed, always, week};

#[tokio::test]
async fn a_due_tick_warms_every_copy_and_the_report_equals_lambdas_own_count() {
    let bed = Bed::new().await;
    for name in ["orders", "users"] {
        bed.lambda.add(FakeFunction::new(name).taking(Duration::from_millis(20)).with_init(Duration::from_millis(7)));
    }
    bed.always(json!(["orders", {"name": "users", "concurrency": 5}])).await;
    let answer = bed.tick().await;
    assert_eq!(answer["outcome"], "ran", "{answer}");

    let run = &bed.history().await[0];
    let instances = bed.lambda.counters("orders").instances + bed.lambda.counters("users").instances;
    assert_eq!(instances, 6);
    assert_eq!((&run["status"], &run["asked"], &run["reached"]), (&json!("done"), &json!(6), &json!(6)), "{run}");
    assert_eq!((&run["unique_instances"], &run["cold"]), (&json!(6), &json!(6)), "{run}");
    assert!(run["init_ms"].as_i64().unwrap() > 0 && run["finished_at"].is_string(), "{run}");
    assert_eq!(run["functions"][1]["name"], "users");
    assert_eq!(run["functions"][1]["unique"], 5);

    // The next minute finds them warm.
    bed.forget_ticks().await;
    let again = bed.tick().await;
    assert_eq!((&again["report"]["unique"], &again["report"]["cold"]), (&json!(6), &json!(0)), "{again}");
    bed.assert_no_violation();
}

#[tokio::test]
async fn a_second_delivery_of_a_tick_does_nothing() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders"));
    bed.always(json!(["orders"])).await;
    let now = Timestamp::now();
    let (one, other) = tokio::join!(bed.tick_at(now), bed.tick_at(now));
    let mut outcomes = [one.unwrap()["outcome"].clone(), other.unwrap()["outcome"].clone()];
    outcomes.sort_by_key(ToString::to_string);
    assert_eq!(outcomes, ["alreadyClaimed", "ran"]);
    assert_eq!(bed.lambda.counters("orders").invokes, 1);
    assert_eq!(bed.history().await.len(), 1);
}

#[tokio::test]
async fn a_tick_that_is_not_due_in_local_time_is_dropped() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders"));
    let mut disabled = always(&json!(["orders"]));
    disabled["enabled"] = json!(false);
    // One minute a day that is not this one.
    let minute = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).hour() + 12;
    let start = format!("{:02}:00", minute % 24);
    let end = format!("{:02}:01", minute % 24);
    let other_time = week(&json!({"enabled": true, "ranges": [{"start": start, "end": end}]}), &json!(["orders"]));
    for schedule in [disabled, other_time] {
        bed.store(&schedule).await;
        assert_eq!(bed.tick().await["outcome"], "notDue");
    }
    bed.always(json!(["orders"])).await;
    bed.database
        .admin()
        .await
        .batch_execute("update public.platform_lambda_config set is_active = false")
        .await
        .unwrap();
    assert_eq!(bed.tick().await["outcome"], "notDue");
    assert_eq!(bed.lambda.counters("orders").invokes, 0);
    assert!(bed.history().await.is_empty());
}

/// Faults, row 33.
#[tokio::test]
async fn a_late_tick_is_judged_by_its_own_minute_and_a_very_late_one_warms_nothing() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders"));
    bed.always(json!(["orders"])).await;
    let late = Timestamp::now() - SignedDuration::from_mins(3);
    let answer = bed.tick_at(late).await.unwrap();
    assert_eq!(answer["outcome"], "ran");
    assert_eq!(answer["tick"].as_str().unwrap()[..16], late.to_string()[..16]);

    let too_late = Timestamp::now() - SignedDuration::from_mins(10);
    assert_eq!(bed.tick_at(too_late).await.unwrap()["outcome"], "tooLate");
    assert_eq!(bed.lambda.counters("orders").invokes, 1);
}

/// Faults, row 33: this sandbox's clock went back by an hour, so ticks seem to come from the future.
#[tokio::test]
async fn a_tick_ahead_of_our_clock_is_judged_by_its_own_minute_and_runs_once() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders"));
    bed.always(json!(["orders"])).await;
    let ahead = Timestamp::now() + SignedDuration::from_hours(1);
    assert_eq!(bed.tick_at(ahead).await.unwrap()["outcome"], "ran");
    assert_eq!(bed.tick_at(ahead).await.unwrap()["outcome"], "alreadyClaimed");
    // The clock is right again: the minutes between run as usual, and nothing is made up for.
    assert_eq!(bed.tick_at(Timestamp::now()).await.unwrap()["outcome"], "ran");
    assert_eq!(bed.lambda.counters("orders").invokes, 2);
}

#[tokio::test]
async fn without_a_readable_schedule_nothing_is_pinged_and_the_run_fails_loudly() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders"));
    bed.store(&json!({"enabled": true, "timezone": "Mars/Phobos"})).await;
    let error = bed.tick_at(Timestamp::now()).await.unwrap_err();
    assert!(error.contains("Mars/Phobos"), "{error}");
    bed.database.admin().await.batch_execute("delete from public.platform_lambda_config").await.unwrap();
    let error = bed.tick_at(Timestamp::now()).await.unwrap_err();
    assert!(error.contains("no lambda_warming config"), "{error}");
    assert_eq!(bed.lambda.counters("orders").invokes, 0);
}
