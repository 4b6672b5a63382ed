//! The daily run: partitions ahead, days closed, old raw events dropped, old rejects forgotten. Each step is safe to repeat and to
//! kill, and leaves the next run what it did not get to.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mgmt_common::error::Result;
use mgmt_common::telemetry::{self, Metric};
use serde_json::{Value, json};

use crate::State;
use crate::store::maintenance::{self as store, SealedDay};

/// Months beyond this one that have their partitions.
const MONTHS_AHEAD: i32 = 3;
/// Between the last moment at which an event may come for a day and the day's seal.
const SEAL_MARGIN_DAYS: u16 = 2;
/// One statement may take this long (db/schema/002).
const LONGEST_STATEMENT: Duration = Duration::from_secs(16);

pub(crate) async fn run(state: &State, deadline: Instant) -> Result<Value> {
    let (database, settings) = (&state.database, &state.settings);
    let made = store::make_partitions(database, MONTHS_AHEAD).await?;
    let mut sealed: Vec<SealedDay> = Vec::new();
    let mut out_of_time = false;
    let last_open_days = i32::from(settings.max_age_days + SEAL_MARGIN_DAYS);
    loop {
        // A day that is begun must be able to end; what is left is for tomorrow.
        if Instant::now() + LONGEST_STATEMENT > deadline {
            out_of_time = true;
            break;
        }
        let Some(day) = store::seal_next_day(database, last_open_days).await? else { break };
        if day.was_repaired {
            tracing::error!(day = %day.day, "a day's figures differed from its raw events and were rebuilt");
        }
        sealed.push(day);
    }
    let mut dropped = Vec::new();
    while let Some(partition) = store::drop_partition(database, i32::from(settings.retention_months)).await? {
        dropped.push(partition);
    }
    let pruned = store::prune_rejects(database, i32::from(settings.reject_days)).await?;
    let repaired = sealed.iter().filter(|day| day.was_repaired).count();
    emit(repaired);
    Ok(json!({
        "partitionsMade": made, "sealed": sealed, "repaired": repaired, "partitionsDropped": dropped,
        "rejectsPruned": pruned, "outOfTime": out_of_time,
    }))
}

/// Any repaired day is worth an alarm.
fn emit(repaired: usize) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a count of days")]
    let metrics = [Metric { name: "UsageDaysRepaired", unit: "Count", value: repaired as f64 }];
    telemetry::emit(
        "ModuleMgmt",
        &[("Function", "module-usage")],
        &metrics,
        i64::try_from(now.as_millis()).unwrap_or(0),
    );
}
