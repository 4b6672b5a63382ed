//! What a sandbox remembers expires by its clock.

use std::time::Duration;

use mgmt_testkit::lambda_api::FakeFunction;
use serde_json::json;

use crate::bed::{Bed, MovedClock};

const READS: [&str; 3] =
    ["lambda:GetFunctionConfiguration", "lambda:GetFunctionConcurrency", "lambda:GetAccountSettings"];

/// How often code, the function's limit and the account's limit have been read.
fn reads(bed: &Bed) -> [usize; 3] {
    READS.map(|action| bed.lambda.count(action))
}

#[tokio::test]
async fn the_code_is_read_anew_after_50_seconds_and_limits_after_ten_minutes() {
    let mut bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders"));
    bed.always(json!(["orders"])).await;
    let clock = MovedClock::new();
    bed.restart_by(&clock);
    let tick = async || {
        bed.forget_ticks().await;
        let report = bed.tick_at(clock.now_utc()).await.unwrap();
        assert_eq!(report["report"]["functions"][0]["state"], "warm", "{report}");
    };
    tick().await;
    let after_first = reads(&bed);
    tick().await;
    assert_eq!(reads(&bed), after_first, "everything is fresh");
    for (seconds, [code, limit, account]) in
        [(49, [0, 0, 0]), (1, [1, 0, 0]), (49, [1, 0, 0]), (499, [2, 0, 0]), (2, [2, 1, 1])]
    {
        clock.advance(Duration::from_secs(seconds));
        tick().await;
        let expected = [after_first[0] + code, after_first[1] + limit, after_first[2] + account];
        assert_eq!(reads(&bed), expected, "{seconds} seconds later");
    }
}

#[tokio::test]
async fn a_tick_that_is_older_than_five_minutes_warms_nothing() {
    let mut bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders"));
    bed.always(json!(["orders"])).await;
    let clock = MovedClock::new();
    bed.restart_by(&clock);
    let scheduled = clock.now_utc();
    clock.advance(Duration::from_secs(6 * 60));
    assert_eq!(bed.tick_at(scheduled).await.unwrap()["outcome"], "tooLate");
    assert_eq!(bed.lambda.counters("orders").invokes, 0);
    // The minute that it is now is run.
    assert_eq!(bed.tick_at(clock.now_utc()).await.unwrap()["outcome"], "ran");
}
