//! Faults, row 37: the figures are a function of the set of events, whatever the order and the batches in which they come. The expected
//! figures are computed here from the set alone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, FailurePersistence, FileFailurePersistence, TestRunner};
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::values::{id_at, now_ms};

fn sent(number: u64, hours: u64, user: u8, kind: u8, occurred: Option<u64>, duration: Option<u32>) -> Value {
    let now = now_ms() / 3_600_000 * 3_600_000;
    let at = |hours: u64| i64::try_from(now - hours * 3_600_000).unwrap();
    let kind = ["api_call", "error"][usize::from(kind % 2)];
    let mut event =
        json!({"id": id_at(number, at(hours)), "moduleName": "module-ai", "eventType": kind, "status": "success"});
    if let Some(hours) = occurred {
        event["occurredAt"] = json!(Timestamp::from_millisecond(at(hours)).unwrap().to_string());
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
        let mut first = BTreeMap::new();
        // One content per id: which of two contents stays is a matter of order indeed.
        let events: Vec<Value> = parts
            .into_iter()
            .map(|(number, hours, user, kind, occurred, duration)| {
                first.entry(number).or_insert_with(|| sent(number, hours, user, kind, occurred, duration)).clone()
            })
            .collect();
        let length = events.len();
        // A few messages of any length, or all alone.
        let cuts = prop_oneof![7 => proptest::collection::vec(1..=length, 0..4), 1 => Just(vec![1; length])];
        (Just(events).prop_shuffle(), cuts)
    })
}

/// One line per day and type of event, as [`FIGURES`] writes it.
fn expected(events: &[Value]) -> String {
    let mut days: BTreeMap<(String, String), Figures> = BTreeMap::new();
    let distinct: BTreeMap<&str, &Value> =
        events.iter().map(|item| (item["event"]["id"].as_str().unwrap(), item)).collect();
    for (id, item) in distinct {
        let event = &item["event"];
        let milliseconds = i64::from_str_radix(&format!("{}{}", &id[..8], &id[9..13]), 16).unwrap();
        let sent = Timestamp::from_millisecond(milliseconds).unwrap();
        let occurred = event["occurredAt"].as_str().map_or(sent, |time| time.parse().unwrap());
        let day = occurred.strftime("%F").to_string();
        let figures = days.entry((day, event["eventType"].as_str().unwrap().to_owned())).or_default();
        figures.total += 1;
        figures.users.insert(item["userId"].as_str().unwrap().to_owned());
        figures.durations.extend(event["durationMs"].as_u64());
    }
    let line = |((day, kind), Figures { total, users, durations }): (_, Figures)| {
        let (least, most) = match (durations.iter().min(), durations.iter().max()) {
            (Some(least), Some(most)) => (format!(" {least}"), format!(" {most}")),
            _ => (String::new(), String::new()),
        };
        let sum: u64 = durations.iter().sum();
        format!("{day} {kind} {total} {} {} {sum}{least}{most}", users.len(), durations.len())
    };
    days.into_iter().map(line).collect::<Vec<_>>().join(";")
}

#[derive(Default)]
struct Figures {
    total: u64,
    users: BTreeSet<String>,
    durations: Vec<u64>,
}

const FIGURES: &str = "select coalesce(string_agg(concat_ws(' ', usage_date, event_type, total, unique_users, duration_count,
    duration_sum, duration_min, duration_max), ';' order by usage_date, event_type), '') from platform_module_usage_daily";

/// Past the triggers that keep raw events.
const EMPTY: &str = "set session_replication_role = replica;
    delete from platform_module_usage; delete from platform_module_usage_daily; delete from platform_module_usage_user";

/// Faults, row 37. `PROPTEST_CASES` is the number of cases, 256 by default; a case that failed is kept beside this file and tried first.
#[test]
fn daily_is_a_function_of_the_set_of_events() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let bed = runtime.block_on(Bed::new());
    let admin = runtime.block_on(bed.admin());
    let kept = FileFailurePersistence::Direct("tests/all/property.proptest-regressions");
    let persistence: Option<Box<dyn FailurePersistence>> = Some(Box::new(kept));
    // A failure is shown before the run would end it as hanging.
    let config = Config { failure_persistence: persistence, max_shrink_iters: 256, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&batches(), |(events, cuts)| {
        let (figures, differing) = runtime.block_on(async {
            admin.batch_execute(EMPTY).await.unwrap();
            let messages: Vec<String> = events.iter().map(ToString::to_string).collect();
            let mut rest = messages.as_slice();
            for cut in cuts {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                rest = later;
                if !now.is_empty() {
                    bed.deliver(now).await;
                }
            }
            bed.deliver(&[rest, &messages[..1]].concat()).await;
            let row = admin.query_one(FIGURES, &[]).await.unwrap();
            (row.get::<_, String>(0), bed.counted().await.2)
        });
        prop_assert_eq!(figures, expected(&events));
        prop_assert_eq!(differing, 0);
        Ok(())
    });
    outcome.unwrap();
}
