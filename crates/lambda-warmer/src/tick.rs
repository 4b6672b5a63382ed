//! One scheduled tick, from the event to the history.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use jiff::{SignedDuration, Timestamp};
use mgmt_common::clock::now;
use mgmt_common::schedule::config::WarmingConfig;
use mgmt_common::schedule::functions::parse_list;
use mgmt_common::schedule::stored::{NoSchedule, Schedule};
use mgmt_common::warming::boundary::Boundary;
use mgmt_common::warming::targets::{ModuleFunctions, ModuleTargets, WarmTarget, merge_targets};
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::serve::ScheduledEvent;
use scoped_futures::ScopedFutureExt as _;
use serde_json::{Value, json};

use crate::State;
use crate::fan_out;
use crate::proof::Key;
use crate::report::{RunReport, emit_dropped, emit_run};
use crate::store::{self, ScheduleSnapshot, target_records};
use crate::target::{Target, key};

/// EventBridge gives up after a minute (the rules' retry age); an older tick is a leftover, and warming for it helps nobody.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(5);
/// Kept back from the fan-out for writing the history.
const CLOSING_TIME: Duration = Duration::from_secs(6);

struct Ready {
    stored: ScheduleSnapshot,
    schedule: Schedule,
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
    if now(&*state.clock).duration_since(tick) > MAX_AGE {
        tracing::warn!(tick = %tick, "this tick is too old to warm anything");
        return Ok(json!({ "tick": tick, "outcome": "tooLate" }));
    }
    let (begun, stale_because) = match begin(state, tick).await {
        Ok(begun) => (begun, None),
        Err(Error::Unavailable { cause, .. }) => (begin_from_memory(state, tick, &cause)?, Some(cause)),
        Err(error) => return Err(error),
    };
    let (stored, schedule) = match begun {
        Begun::Ready(ready) => (ready.stored, ready.schedule),
        Begun::NotDue => {
            emit_dropped(&state.settings.namespace);
            return Ok(json!({ "tick": tick, "outcome": "notDue" }));
        }
        Begun::AlreadyClaimed => return Ok(json!({ "tick": tick, "outcome": "alreadyClaimed" })),
    };
    let run_id = format!("{}-{}", state.settings.namespace.env(), tick.as_second() / 60);
    let deadline = event.deadline.checked_sub(CLOSING_TIME).unwrap_or_else(Instant::now);
    let boundary = state.boundary.seen_from(&event.function_arn, &state.settings.warming_accounts);
    let (targets, faults) = targets(&stored, &schedule.config, &boundary);
    let fanned_out = fan_out::run(state, &run_id, &targets, deadline).await;
    // Before the database is tried: what pings have taught must not be lost where that fails.
    state.memory.remember(fanned_out.changes);

    let stale =
        stale_because.map(|cause| format!("the schedule is the last one seen, because the database was down: {cause}"));
    let is_stale = stale.is_some();
    let notes = stale.into_iter().chain(faults).chain(fanned_out.notes).collect();
    let report = RunReport::new(fanned_out.functions, notes);
    emit_run(&state.settings.namespace, &report, is_stale);
    let recorded = record(state, tick, &stored, &report, &targets).await;
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

/// Writes what is still unwritten, reads the schedule and claims the tick, in one transaction.
async fn begin(state: &State, tick: Timestamp) -> Result<Begun> {
    let unsaved = state.memory.unsaved();
    let beginning = store::run(&state.database, |tx| {
        let unsaved = &unsaved;
        async move {
            target_records::save(tx, unsaved).await?;
            let stored = store::read_schedule(tx).await?.ok_or(NoSchedule::Missing)?;
            let schedule = stored.schedule.parse()?;
            if !is_due(&schedule, tick) {
                return Ok::<_, Error>((stored, Begun::NotDue));
            }
            let claimed = store::claim_tick(tx, tick, schedule.version).await?;
            let ready = Begun::Ready(Box::new(Ready { stored: stored.clone(), schedule }));
            Ok((stored, if claimed { ready } else { Begun::AlreadyClaimed }))
        }
        .scope_boxed()
    });
    let (stored, begun) = beginning.await?;
    state.memory.saved(&unsaved);
    state.memory.keep(&stored);
    if let Begun::Ready(_) = &begun {
        state.memory.claim(tick);
    }
    Ok(begun)
}

fn begin_from_memory(state: &State, tick: Timestamp, cause: &str) -> Result<Begun> {
    let stored = state.memory.last_good().ok_or_else(|| Error::Unavailable {
        dependency: mgmt_common::web::error::Dependency::Database,
        cause: format!("{cause}; and this sandbox has seen no schedule yet"),
    })?;
    let schedule = stored.schedule.parse()?;
    if !is_due(&schedule, tick) {
        return Ok(Begun::NotDue);
    }
    Ok(if state.memory.claim(tick) {
        Begun::Ready(Box::new(Ready { stored, schedule }))
    } else {
        Begun::AlreadyClaimed
    })
}

fn is_due(schedule: &Schedule, tick: Timestamp) -> bool {
    schedule.is_active && schedule.config.due(tick)
}

/// What the schedule names, and unless it leaves them out what the modules want that are on; with what could not be read.
/// What lies outside the boundary is told and not pinged, however it came into the schedule.
fn targets(stored: &ScheduleSnapshot, config: &WarmingConfig, boundary: &Boundary) -> (Vec<Target>, Vec<String>) {
    let included = stored.modules.iter().filter(|_| config.include_modules());
    let modules: Vec<ModuleTargets<'_>> = included.map(ModuleFunctions::targets).collect();
    let wanted = merge_targets(config.functions(), &modules);
    let target = |wanted: WarmTarget| {
        let stored = stored.known.get(&key(&wanted.function)).cloned();
        Target { function: wanted.function, stored }
    };
    let (mut targets, mut faults) = (Vec::new(), wanted.faults);
    for wanted in wanted.functions {
        match boundary.fault(&wanted.function) {
            None => targets.push(target(wanted)),
            Some(fault) => faults.push(format!("{} {fault}", wanted.function.name)),
        }
    }
    (targets, faults)
}

/// The functions of which something may be known: those pinged, and those of modules that are off too. A module that comes back must not
/// bring a first ping for a function that is known to run its real handler. `None` where some module's functions cannot be read.
fn named(stored: &ScheduleSnapshot, targets: &[Target]) -> Option<Vec<Key>> {
    let mut named: Vec<Key> = targets.iter().map(Target::key).collect();
    for module in &stored.modules {
        let functions = parse_list(&module.functions, "").ok()?;
        named.extend(functions.iter().map(key));
    }
    Some(named)
}

async fn record(
    state: &State,
    tick: Timestamp,
    stored: &ScheduleSnapshot,
    report: &RunReport,
    targets: &[Target],
) -> Result<()> {
    let unsaved = state.memory.unsaved();
    let named = named(stored, targets);
    let recording = store::run(&state.database, |tx| {
        let (unsaved, named) = (&unsaved, &named);
        async move {
            store::finish_run(tx, tick, stored.schedule.version, report).await?;
            target_records::save(tx, unsaved).await?;
            match named {
                Some(named) => target_records::forget_unnamed(tx, stored.schedule.version, named).await,
                None => Ok(()),
            }
        }
        .scope_boxed()
    });
    recording.await?;
    state.memory.saved(&unsaved);
    Ok(())
}
