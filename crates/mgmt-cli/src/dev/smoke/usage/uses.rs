//! The uses that are sent, and what they add up to.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use jiff::{Timestamp, ToSpan as _};
use mgmt_common::usage::id;
use serde_json::{Value, json};

use crate::dev::identity::MEMBER;

/// Different uses.
pub(super) const DISTINCT: usize = 700;
/// Events over each of the two ways. HTTP takes the first 400 uses and SQS the last 400, so that 100 come both ways; each way also
/// repeats 100 of its own.
pub(super) const EACH: usize = 500;
const OF_EACH: usize = 400;
/// Modules that are on, and one that does not exist.
pub(super) const MODULES: [&str; 2] = ["module-orders", "module-reports"];
const UNKNOWN: &str = "module-nowhere";
/// Nothing else on the platform is used in this way, so figures of it are those of this run.
pub(super) const EVENT_TYPE: &str = "feature_use";
/// So many days, of which today is the last, have uses.
const DAYS: usize = 10;
const STATUSES: [&str; 7] = ["success", "failure", "success", "partial", "success", "success", "success"];

/// One use of a module.
pub(super) struct Use {
    pub(super) id: String,
    pub(super) module: &'static str,
    pub(super) user: String,
    status: &'static str,
    duration_ms: usize,
    occurred_at: Timestamp,
}

pub(super) fn make_uses(now: Timestamp) -> Result<Vec<Use>> {
    let make = |nth: usize| -> Result<Use> {
        let days = i64::try_from(nth % DAYS)?;
        Ok(Use {
            id: id::make().0.to_string(),
            module: MODULES[usize::from(!nth.is_multiple_of(3))],
            // What comes over HTTP counts for its caller, so what comes both ways must be the member's.
            user: if nth < OF_EACH { MEMBER.id.to_owned() } else { format!("user-{}", nth % 12) },
            status: STATUSES[nth % STATUSES.len()],
            duration_ms: nth,
            occurred_at: now.checked_sub((24 * days).hours())?,
        })
    };
    (0..DISTINCT).map(make).collect()
}

/// Which uses one way takes, in an order that puts repetitions before, into and after the batch of what they repeat.
fn shuffled(which: impl Fn(usize) -> usize) -> Vec<usize> {
    (0..EACH).map(|nth| which(nth * 7 % EACH)).collect()
}

/// The uses that go over HTTP: the first 400, and the first 100 again.
pub(super) fn by_http() -> Vec<usize> {
    shuffled(|nth| nth % OF_EACH)
}

/// The uses that go over SQS: the last 400, and the last 100 again.
pub(super) fn by_queue() -> Vec<usize> {
    shuffled(|nth| DISTINCT - 1 - nth % OF_EACH)
}

impl Use {
    pub(super) fn event(&self) -> Value {
        json!({
            "id": self.id, "eventType": EVENT_TYPE, "moduleName": self.module, "status": self.status,
            "durationMs": self.duration_ms, "occurredAt": self.occurred_at.to_string(),
        })
    }
}

/// An event that cannot count.
pub(super) fn unknown() -> Value {
    json!({ "eventType": EVENT_TYPE, "moduleName": UNKNOWN, "status": "success" })
}

/// The figures of an answer that must be exact.
pub(super) fn told(figures: &Value) -> Value {
    let average = figures["averageDurationMs"].as_f64().unwrap_or(0.0);
    json!([
        figures["total"],
        figures["successes"],
        figures["failures"],
        figures["partials"],
        figures["uniqueUsers"],
        figures["durationCount"],
        figures["minDurationMs"],
        figures["maxDurationMs"],
        format!("{average:.3}"),
    ])
}

/// Uses of each day that has some, as the statistics have it.
pub(super) fn by_day(usage: &Value) -> Value {
    let days = usage["series"].as_array().into_iter().flatten().filter(|day| day["total"] != 0);
    days.map(|day| (day["start"].as_str().unwrap_or_default().to_owned(), day["total"].clone())).collect()
}

/// What [`told`] should be of these uses.
pub(super) fn figures<'a>(uses: impl Iterator<Item = &'a Use>) -> Value {
    let uses: Vec<&Use> = uses.collect();
    let of = |status| uses.iter().filter(|used| used.status == status).count();
    let users: BTreeSet<&str> = uses.iter().map(|used| used.user.as_str()).collect();
    let durations = || uses.iter().map(|used| used.duration_ms);
    #[expect(clippy::cast_precision_loss, reason = "a thousand durations below a second")]
    let average = durations().sum::<usize>() as f64 / uses.len() as f64;
    json!([
        uses.len(),
        of("success"),
        of("failure"),
        of("partial"),
        users.len(),
        uses.len(),
        durations().min(),
        durations().max(),
        format!("{average:.3}"),
    ])
}

/// What [`by_day`] should be.
pub(super) fn expected_by_day(uses: &[Use]) -> Value {
    let mut days = BTreeMap::<String, usize>::new();
    for used in uses {
        *days.entry(used.occurred_at.strftime("%F").to_string()).or_default() += 1;
    }
    json!(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_in_ten_events_are_duplicates_within_a_way_and_across_both() {
        let (http, queue) = (by_http(), by_queue());
        let distinct = |lists: &[&[usize]]| lists.concat().into_iter().collect::<BTreeSet<_>>().len();
        assert_eq!((http.len(), queue.len()), (EACH, EACH));
        assert_eq!((distinct(&[&http]), distinct(&[&queue])), (OF_EACH, OF_EACH));
        assert_eq!(distinct(&[&http, &queue]), DISTINCT);
    }
}
