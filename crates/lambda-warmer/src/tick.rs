//! One scheduled tick, from the event to the history.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use jiff::{SignedDuration, Timestamp};
use mgmt_common::error::{Error, Result};
use mgmt_common::schedule::config::WarmingConfig;
use mgmt_common::serve::ScheduledEvent;
use scoped_futures::ScopedFutureExt as _;
use serde_json::{Value, json};

use crate::State;
use crate::fan_out::{self, Warmed};
use crate::report::{RunReport, emit_dropped, emit_run};
use crate::store::{self, Stored};
use crate::target::Target;

/// EventBridge gives up after a minute (the rules' retry age); an older tick is a leftover, and warming for it helps nobody.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(5);
/// A database that does not answer in this time counts as down; the tick matters more than a fresh config.
const DATABASE_TIME: Duration = Duration::from_secs(5);
/// Kept back from the fan-out for writing the history.
const CLOSING_TIME: Duration = Duration::from_secs(6);

struct Ready {
    stored: Stored,
    config: WarmingConfig,
}

/// What a tick starts with.
enum Begun {
    Ready(Box<Ready>),
    NotDue,
    AlreadyClaimed,
}

/// Runs a tick and answers what came of it.
///
/// # Errors
/// No schedule is stored or it cannot be read, or the database is down and no schedule was seen before: nothing was pinged.
pub async fn run(state: &Arc<State>, event: &ScheduledEvent) -> Result<Value> {
    let tick = minute(event.time)?;
    if Timestamp::now().duration_since(tick) > MAX_AGE {
        tracing::warn!(tick = %tick, "this tick is too old to warm anything");
        return Ok(json!({ "tick": tick, "outcome": "tooLate" }));
    }
    let (begun, stale_because) = match begin(state, tick).await {
        Ok(begun) => (begun, None),
        Err(Error::Unavailable { cause, .. }) => (begin_from_memory(state, tick, &cause)?, Some(cause)),
        Err(error) => return Err(error),
    };
    let (stored, config) = match begun {
        Begun::Ready(ready) => (ready.stored, ready.config),
        Begun::NotDue => {
            emit_dropped(&state.settings.namespace);
            return Ok(json!({ "tick": tick, "outcome": "notDue" }));
        }
        Begun::AlreadyClaimed => return Ok(json!({ "tick": tick, "outcome": "alreadyClaimed" })),
    };
    let run_id = format!("{}-{}", state.settings.namespace.env(), tick.as_second() / 60);
    let deadline = event.deadline.checked_sub(CLOSING_TIME).unwrap_or_else(Instant::now);
    let warmed = fan_out::run(state, &run_id, targets(&stored, &config), deadline).await;

    let stale =
        stale_because.map(|cause| format!("the schedule is the last one seen, because the database was down: {cause}"));
    let is_stale = stale.is_some();
    let report = RunReport::new(warmed.iter().map(|function| function.report.clone()).collect(), stale);
    emit_run(&state.settings.namespace, &report, is_stale);
    let recorded = record(state, tick, &stored, &report, &warmed).await;
    if let Err(error) = &recorded {
        tracing::error!(%error, report = %json!(report), "the history could not be written");
    }
    Ok(json!({ "tick": tick, "outcome": "ran", "stale": is_stale, "recorded": recorded.is_ok(), "report": report }))
}

/// The scheduled minute, not the time of delivery.
fn minute(time: SystemTime) -> Result<Timestamp> {
    let unreadable = |error: jiff::Error| Error::malformed(format!("the event's time cannot be read: {error}"));
    let time = Timestamp::try_from(time).map_err(unreadable)?;
    Timestamp::from_second(time.as_second().div_euclid(60) * 60).map_err(unreadable)
}

/// Reads the schedule and claims the tick in one transaction.
async fn begin(state: &State, tick: Timestamp) -> Result<Begun> {
    let begun = state.database.run_as_worker(|tx| {
        async move {
            let stored =
                store::read_schedule(tx).await?.ok_or_else(|| unreadable("there is no lambda_warming config"))?;
            let config = parse(&stored)?;
            if !(stored.is_active && config.due(tick)) {
                state.memory.keep(&stored);
                return Ok(Begun::NotDue);
            }
            let claimed = store::claim_tick(tx, tick, stored.version).await?;
            Ok(if claimed { Begun::Ready(Box::new(Ready { stored, config })) } else { Begun::AlreadyClaimed })
        }
        .scope_boxed()
    });
    let begun = tokio::time::timeout(DATABASE_TIME, begun).await.map_err(|_| Error::Unavailable {
        dependency: mgmt_common::error::Dependency::Database,
        cause: "it did not answer in time".into(),
    })??;
    if let Begun::Ready(ready) = &begun {
        state.memory.keep(&ready.stored);
        state.memory.claim(tick);
    }
    Ok(begun)
}

fn begin_from_memory(state: &State, tick: Timestamp, cause: &str) -> Result<Begun> {
    let stored = state.memory.last_good().ok_or_else(|| Error::Unavailable {
        dependency: mgmt_common::error::Dependency::Database,
        cause: format!("{cause}; and this sandbox has seen no schedule yet"),
    })?;
    let config = parse(&stored)?;
    if !(stored.is_active && config.due(tick)) {
        return Ok(Begun::NotDue);
    }
    Ok(if state.memory.claim(tick) { Begun::Ready(Box::new(Ready { stored, config })) } else { Begun::AlreadyClaimed })
}

fn parse(stored: &Stored) -> Result<WarmingConfig> {
    WarmingConfig::parse(&stored.value).map_err(|errors| {
        let all: Vec<String> = errors.iter().map(|error| format!("{} {}", error.pointer, error.message)).collect();
        unreadable(&format!("the stored lambda_warming config cannot be read: {}", all.join("; ")))
    })
}

fn unreadable(detail: &str) -> Error {
    Error::Conflict { code: "config_unreadable", detail: detail.to_owned() }
}

fn targets(stored: &Stored, config: &WarmingConfig) -> Vec<Target> {
    let target = |function: &mgmt_common::schedule::functions::WarmFunction| {
        let key = (function.name.clone(), function.qualifier.clone().unwrap_or_default());
        Target::new(function.clone(), stored.known.get(&key).cloned())
    };
    config.functions().iter().map(target).collect()
}

async fn record(state: &State, tick: Timestamp, stored: &Stored, report: &RunReport, warmed: &[Warmed]) -> Result<()> {
    let recording = state.database.run_as_worker(|tx| {
        async move {
            store::finish_run(tx, tick, stored.version, report).await?;
            for function in warmed {
                if let Some(known) = &function.learned {
                    let qualifier = function.report.qualifier.as_deref().unwrap_or_default();
                    store::keep_known(tx, &function.report.name, qualifier, known).await?;
                }
            }
            Ok(())
        }
        .scope_boxed()
    });
    tokio::time::timeout(DATABASE_TIME, recording).await.map_err(|_| Error::Unavailable {
        dependency: mgmt_common::error::Dependency::Database,
        cause: "it did not answer in time".into(),
    })?
}
