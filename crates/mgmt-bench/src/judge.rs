//! Judging a batch over a graph that is built to be exponential, beside one of as many modules without dependencies.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;
use mgmt_common::usage::item::BatchItem;
use mgmt_common::usage::judge::{Judge, ModuleHistory, Rules};
use module_mgmt_protocol::caller::Caller;

use crate::row::{Row, median};

const LAYERS: usize = 25;
const EVENTS: usize = 1_000;
const ROUNDS: usize = 50;

pub(crate) fn measure() -> Row {
    let (layered, flat) = (modules(true), modules(false));
    // Side by side, so that a machine that slows down slows both.
    let (layered, flat): (Vec<f64>, Vec<f64>) = (0..ROUNDS).map(|_| (batch(&layered), batch(&flat))).unzip();
    let (layered, flat) = (median(layered), median(flat));
    Row {
        what: format!("{EVENTS} events over {LAYERS} layers of two modules, each needing both below, beside 50 alone"),
        measured: format!("{layered:.3} ms and {flat:.3} ms, medians of {ROUNDS}"),
        ratio: format!("{:.2}", layered / flat),
        promise: "<= 2",
    }
}

fn modules(needs_both_below: bool) -> Vec<ModuleHistory> {
    let name = |layer: usize, n: usize| format!("module-l{layer}-{n}");
    let module = |(layer, n): (usize, usize)| ModuleHistory {
        name: name(layer, n),
        is_enabled: true,
        is_installed: true,
        is_deleted: false,
        disabled_at: None,
        dependencies: if needs_both_below && layer > 0 { vec![name(layer - 1, 0), name(layer - 1, 1)] } else { vec![] },
        // The base is off for the organisation, so that every layer has something to find out.
        off_for: if layer == 0 {
            BTreeMap::from([("org-a".to_owned(), Timestamp::UNIX_EPOCH)])
        } else {
            BTreeMap::new()
        },
    };
    (0..LAYERS).flat_map(|layer| [(layer, 0), (layer, 1)]).map(module).collect()
}

/// Milliseconds for a batch, from its text to its judgement.
fn batch(modules: &[ModuleHistory]) -> f64 {
    let caller = Caller::without_rights("user", "org-a");
    let event = format!(r#"{{"eventType":"api_call","status":"success","moduleName":"module-l{}-1"}}"#, LAYERS - 1);
    let started = Instant::now();
    let items: Vec<BatchItem<'_>> = (0..EVENTS).map(|_| BatchItem::from_caller(&caller, &event)).collect();
    let rules = Rules { now: Timestamp::now(), max_age_days: 35, events_per_minute: None };
    let judge = Judge::new(modules.to_vec(), &["org-a"].into(), rules);
    let judged = items.iter().filter_map(|item| Some(judge.judge(item.event.as_ref().ok()?, "org-a"))).count();
    std::hint::black_box(judged);
    started.elapsed().as_secs_f64() * 1000.0
}
