//! The daily run: partitions ahead, days closed, old raw events dropped, old rejects and old changes forgotten. Each step is safe to repeat and to
//! kill, and leaves the next run what it did not get to.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mgmt_common::telemetry::{self, Metric};
use mgmt_common::web::error::Result;
use serde_json::{Value, json};

use crate::State;
use crate::store::maintenance::{self as store, SealedDay};

/// Months beyond this one that have their partitions.
const MONTHS_AHEAD: i32 = 3;
/// Between the last moment at which an event may come for a day and the day's seal.
const SEAL_MARGIN_DAYS: u16 = 2;
/// A day is begun only where it has this long. It may take all there is: three million events are recounted in seven seconds and
/// rebuilt in twenty.
const ENOUGH_FOR_A_DAY: Duration = Duration::from_secs(10);
/// What the steps after the seals are left.
const REST: Duration = Duration::from_secs(5);

pub(crate) async fn run(state: &State, deadline: Instant) -> Result<Value> {
    let (database, settings) = (&state.database, &state.settings);
    let made = store::make_partitions(database, MONTHS_AHEAD).await?;
    let mut sealed: Vec<SealedDay> = Vec::new();
    let (mut out_of_time, mut failed) = (false, None);
    let last_open_days = i32::from(settings.max_age_days + SEAL_MARGIN_DAYS);
    loop {
        // A day that is begun should be able to end; what is left is for tomorrow.
        if Instant::now() + ENOUGH_FOR_A_DAY + REST > deadline {
            out_of_time = true;
            break;
        }
        let day = match store::seal_next_day(database, last_open_days, deadline - REST).await {
            Ok(Some(day)) => day,
            Ok(None) => break,
            Err(error) => {
                // A day that cannot be closed must not keep the rest from being done.
                failed = Some(error);
                break;
            }
        };
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
    let forgotten = store::prune_audit(database, i32::from(settings.audit_months)).await?;
    let repaired = sealed.iter().filter(|day| day.was_repaired).count();
    emit(repaired);
    if let Some(error) = failed {
        return Err(error.into());
    }
    Ok(json!({
        "partitionsMade": made, "sealed": sealed, "repaired": repaired, "partitionsDropped": dropped,
        "rejectsPruned": pruned, "auditPruned": forgotten, "outOfTime": out_of_time,
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
