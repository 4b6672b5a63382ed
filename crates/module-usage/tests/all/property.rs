//! FAULTS row 37: the figures are a function of the set of events, whatever the order and the batches in which they come.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::bed::{Bed, now_ms};
use crate::values::id_at;

fn sent(number: u64, hours: u64, user: u8, kind: u8, occurred: Option<u64>, duration: Option<u32>) -> Value {
    let now = now_ms() / 3_600_000 * 3_600_000;
    let at = |hours: u64| i64::try_from(now - hours * 3_600_000).unwrap();
    let kind = ["api_call", "error"][usize::from(kind % 2)];
    let mut event =
        json!({"id": id_at(number, at(hours)), "moduleName": "module-ai", "eventType": kind, "status": "success"});
    if let Some(hours) = occurred {
        event["occurredAt"] = json!(jiff::Timestamp::from_millisecond(at(hours)).unwrap().to_string());
    }
    if let Some(duration) = duration {
        event["durationMs"] = json!(duration);
    }
    json!({"orgId": "org-a", "userId": format!("u{user}"), "event": event})
}

fn batches() -> impl Strategy<Value = (Vec<Value>, Vec<usize>)> {
    let one =
        (0_u64..40, 0_u64..800, 0_u8..5, 0_u8..2, proptest::option::of(0_u64..800), proptest::option::of(0_u32..1_000));
    proptest::collection::vec(one, 1..60).prop_flat_map(|parts| {
        let mut first = std::collections::BTreeMap::new();
        // One content per id: which of two contents stays is a matter of order indeed.
        let events: Vec<Value> = parts
            .into_iter()
            .map(|(number, hours, user, kind, occurred, duration)| {
                first.entry(number).or_insert_with(|| sent(number, hours, user, kind, occurred, duration)).clone()
            })
            .collect();
        let length = events.len();
        (Just(events).prop_shuffle(), proptest::collection::vec(1..=length, 0..4))
    })
}

#[test]
fn row_37_daily_is_a_function_of_the_set_of_events() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let bed = runtime.block_on(Bed::new());
    let figures = "select coalesce(string_agg(concat_ws(' ', usage_date, event_type, total, unique_users, duration_count, duration_sum,
        duration_min, duration_max), ';' order by usage_date, event_type), '') from platform_module_usage_daily";
    let empty = "alter table platform_module_usage disable trigger a_stay;
        truncate platform_module_usage, platform_module_usage_daily, platform_module_usage_user;
        alter table platform_module_usage enable trigger a_stay";
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&batches(), |(events, cuts)| {
        let (shuffled, in_order) = runtime.block_on(async {
            bed.arrange(empty).await;
            let messages: Vec<String> = events.iter().map(ToString::to_string).collect();
            let mut rest = messages.as_slice();
            for cut in &cuts {
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                rest = later;
                if !now.is_empty() {
                    bed.deliver(now).await;
                }
            }
            bed.deliver(&[rest, &messages[..1]].concat()).await;
            let shuffled = (bed.look(figures).await, bed.counted().await.2);
            bed.arrange(empty).await;
            let mut sorted = messages;
            sorted.sort();
            for message in sorted {
                bed.deliver(&[message]).await;
            }
            (shuffled, (bed.look(figures).await, 0))
        });
        prop_assert_eq!(shuffled, in_order);
        Ok(())
    });
    outcome.unwrap();
}
