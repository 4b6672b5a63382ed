//! How long `compile` takes: a full week at one minute (what must stay below 5 ms), and the messiest week there is.

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use mgmt_common::schedule::compile::compile;
use mgmt_common::schedule::config::WarmingConfig;
use serde_json::{Map, Value, json};

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

fn config(interval: u16, ranges: impl Fn(u32) -> Vec<(u32, u32)>) -> WarmingConfig {
    let time = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
    let week: Map<String, Value> = (0..)
        .zip(DAYS)
        .map(|(day, name)| {
            let ranges: Vec<Value> =
                ranges(day).iter().map(|(start, end)| json!({"start": time(*start), "end": time(*end)})).collect();
            (name.to_owned(), json!({"enabled": true, "ranges": ranges}))
        })
        .collect();
    let value = json!({
        "enabled": true, "timezone": "America/New_York", "interval_minutes": interval, "weekly_schedule": week,
    });
    WarmingConfig::parse(&value).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn compile_weeks(criterion: &mut Criterion) {
    let at: Timestamp = Timestamp::from_second(1_793_664_000).unwrap_or_default();
    let full = config(1, |_| vec![(0, 1440)]);
    criterion.bench_function("compile/full week, 1 minute", |bencher| bencher.iter(|| compile(&full, at)));
    let office = config(5, |day| if day < 5 { vec![(540, 1020)] } else { Vec::new() });
    criterion.bench_function("compile/office hours, 5 minutes", |bencher| bencher.iter(|| compile(&office, at)));
    // Each of the 168 hours of the week needs its own pattern of minutes.
    let messy = config(1, |day| {
        (0..24)
            .flat_map(|hour| {
                let pattern = day * 24 + hour + 1;
                (0..8).filter(move |bit| pattern >> bit & 1 == 1).map(move |bit| {
                    let start = hour * 60 + bit * 7;
                    (start, start + 3)
                })
            })
            .collect()
    });
    criterion.bench_function("compile/168 different hours", |bencher| bencher.iter(|| compile(&messy, at)));
}

criterion_group!(benches, compile_weeks);
criterion_main!(benches);
