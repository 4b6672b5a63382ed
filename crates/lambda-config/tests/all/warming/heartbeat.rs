use mgmt_testkit::gateway::Request;
use serde_json::{Value, json};

use crate::bed::{Bed, WARMING};
use crate::values::office;

/// A schedule that is due every minute of every day.
fn always() -> Value {
    let mut value = office();
    let day = json!({"enabled": true, "ranges": [{"start": "00:00", "end": "24:00"}]});
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    for name in days {
        value["weekly_schedule"][name] = day.clone();
    }
    value["interval_minutes"] = json!(1);
    value
}

async fn missed(bed: &Bed) -> Value {
    bed.send(&Request::get(WARMING)).await.expect(200).json()["sync"]["missedTick"].clone()
}

/// Faults, row 28, the part that shows at run time: the rules are right and fire, but the warmer never runs.
#[tokio::test]
async fn rules_that_fire_without_a_run_are_shown() {
    let bed = Bed::new().await;
    bed.save(&always()).await;
    assert_eq!(missed(&bed).await, Value::Null, "no tick is expected within the first minutes");

    bed.arrange("update platform_rule_sync set applied_at = now() - interval '10 minutes'").await;
    assert!(missed(&bed).await.is_string());
    // The answer is not settled, so a cached one is not confirmed.
    let fresh = bed.send(&Request::get(WARMING).header("if-none-match", "\"2\"")).await;
    assert_eq!(fresh.expect(200).json()["sync"]["status"], "synced");

    bed.arrange("insert into platform_warming_run (tick) values (date_trunc('minute', now()) - interval '1 minute')")
        .await;
    assert_eq!(missed(&bed).await, Value::Null);

    bed.arrange("delete from platform_warming_run; update platform_lambda_config set is_active = false").await;
    assert_eq!(missed(&bed).await, Value::Null, "a schedule that is switched off expects no ticks");
}
