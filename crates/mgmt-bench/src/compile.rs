//! Compiling a full week at a one-minute interval.

use std::time::Instant;

use jiff::Timestamp;
use mgmt_common::schedule::compile::compile;
use mgmt_common::schedule::config::WarmingConfig;
use serde_json::{Map, Value, json};

use crate::row::{Row, median};

const ROUNDS: usize = 200;

pub(crate) fn measure() -> Option<Row> {
    let day = json!({"enabled": true, "ranges": [{"start": "00:00", "end": "24:00"}]});
    let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let week: Map<String, Value> = names.map(|name| (name.to_owned(), day.clone())).into_iter().collect();
    let value =
        json!({"enabled": true, "timezone": "America/New_York", "interval_minutes": 1, "weekly_schedule": week});
    let config = WarmingConfig::parse(&value).ok()?;
    let at = Timestamp::now();
    let times = (0..ROUNDS).map(|_| {
        let started = Instant::now();
        let compiled = std::hint::black_box(compile(std::hint::black_box(&config), at));
        let took = started.elapsed().as_secs_f64() * 1000.0;
        drop(compiled);
        took
    });
    let time = median(times.collect());
    Some(Row {
        what: "compile a full week, 1-minute interval".into(),
        measured: format!("{time:.4} ms, median of {ROUNDS}"),
        ratio: format!("{:.4} of 5 ms", time / 5.0),
        promise: "< 5 ms",
    })
}
