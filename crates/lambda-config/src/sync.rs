//! From the stored schedule to the rules on the bus, under a lease.
//!
//! The config row is the truth: it is committed before any of this runs, and whatever is left undone here is stored as
//! pending with its reason, for the next save, manual sync or hourly reconcile.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use mgmt_common::clock::now;
use mgmt_common::db::{self, Transaction};
use mgmt_common::eventbridge::{SyncReport, SyncStatus};
use mgmt_common::rules::{Adoption, Desired, DesiredRule, DesiredTarget, RuleState};
use mgmt_common::schedule::compile::compile;
use mgmt_common::schedule::heartbeat::missed_tick;
use mgmt_common::schedule::stored::{NoSchedule, Schedule, StoredSchedule};
use mgmt_common::telemetry::{Metric, emit};
use mgmt_common::web::error::{Error, Result};
use module_mgmt_protocol::caller::Caller;
use scoped_futures::ScopedFutureExt as _;
use serde_json::{Value, json};

use crate::State;
use crate::actor::Actor;
use crate::adoption;
use crate::store::leases::{self, LEASE_SECONDS, Lease, SyncResult, SyncRow};
use crate::store::warming;

/// No call to AWS starts later in a request. The last one takes 4 seconds at most, and storing and reading the result 4.5
/// each; API Gateway gives up after 30.
pub(crate) const REQUEST_TIME: Duration = Duration::from_secs(16);
/// How long a sync waits for another one to finish.
const LEASE_WAIT: Duration = Duration::from_secs(4);
/// A call that began before the deadline may still be under way for one attempt timeout.
const LEASE_MARGIN: Duration = Duration::from_secs(6);
/// How often a sync starts over because the schedule was saved meanwhile.
const ROUNDS: u32 = 3;

/// What came of a sync.
pub(crate) struct SyncOutcome {
    /// The schedule's version that was worked on; `None` when none was.
    pub(crate) version: Option<i64>,
    pub(crate) report: SyncReport,
    /// What is stored about the rules then; `None` where another reconcile has taken over.
    pub(crate) stored: Option<SyncRow>,
}

/// A sync that has the lease and the schedule.
pub(crate) struct LeasedSync {
    lease: Lease,
    schedule: Found,
    /// Before the transaction that took the lease: the database counts the lease from the transaction's begin.
    asked_at: Instant,
}

/// The schedule that a sync works on.
enum Found {
    Missing,
    Stored(StoredSchedule),
    /// It was just saved, and so is known.
    Saved(Box<Schedule>),
}

impl LeasedSync {
    /// For a schedule whose save took the lease.
    pub(crate) fn of_save(lease: Lease, schedule: Schedule, asked_at: Instant) -> Self {
        Self { lease, schedule: Found::Saved(Box::new(schedule)), asked_at }
    }
}

/// Brings the rules to the stored schedule. `begun` is a sync that has the lease already.
///
/// # Errors
/// The database does not answer, or the schedule is missing or unreadable: then nothing on the bus was touched.
/// Trouble with AWS is no error but a report that says pending.
pub(crate) async fn sync(
    state: &State,
    actor: Actor<'_>,
    begun: Option<LeasedSync>,
    adopt_old: bool,
    deadline: Instant,
) -> Result<SyncOutcome> {
    let (mut round, mut begun) = (1, begun);
    loop {
        let leased = match begun.take() {
            Some(leased) => Some(leased),
            None => begin(state, actor, deadline).await?,
        };
        let Some(LeasedSync { lease, schedule, asked_at }) = leased else {
            let reason = "another reconcile is at work; this schedule follows when that ends, or with the hourly \
                          reconcile at the latest";
            return Ok(SyncOutcome { version: None, report: pending(reason.into()), stored: None });
        };
        let lease_end = asked_at + Duration::from_secs(LEASE_SECONDS.unsigned_abs().into()) - LEASE_MARGIN;
        let done = work(state, actor, lease, schedule, adopt_old, deadline.min(lease_end)).await;
        let result = &SyncResult {
            synced_version: done
                .as_ref()
                .ok()
                .filter(|(_, report)| report.status == SyncStatus::Synced)
                .map(|(version, _)| *version),
            error: match &done {
                Ok((_, report)) => Some(report.reasons.join("; ")).filter(|reasons| !reasons.is_empty()),
                Err(error) => Some(error.public_detail()),
            },
            observed: done.as_ref().ok().and_then(|(_, report)| serde_json::to_value(&report.rules).ok()),
        };
        let finished =
            state.transact(actor, |tx| async move { leases::finish(tx, lease, result).await }.scope_boxed()).await?;
        let (version, report) = done?;
        let overtaken = finished.as_ref().is_some_and(|finished| finished.row_version != version);
        if !overtaken || round == ROUNDS || Instant::now() + LEASE_MARGIN > deadline {
            let stored = finished.map(|finished| finished.sync);
            return Ok(SyncOutcome { version: Some(version), report, stored });
        }
        round += 1;
    }
}

/// Takes the lease and reads the schedule in one transaction, waiting a little for another reconcile.
async fn begin(state: &State, actor: Actor<'_>, deadline: Instant) -> Result<Option<LeasedSync>> {
    let give_up = deadline.min(Instant::now() + LEASE_WAIT);
    loop {
        let asked_at = Instant::now();
        let begun = state
            .transact(actor, |tx| {
                async move {
                    let Some(lease) = leases::take_lease(tx, actor.holder()).await? else { return Ok(None) };
                    let schedule = leases::read_schedule(tx).await?.map_or(Found::Missing, Found::Stored);
                    Ok::<_, db::Error>(Some(LeasedSync { lease, schedule, asked_at }))
                }
                .scope_boxed()
            })
            .await?;
        if begun.is_some() || Instant::now() >= give_up {
            return Ok(begun);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The version that was worked on, and what came of it.
async fn work(
    state: &State,
    actor: Actor<'_>,
    lease: Lease,
    schedule: Found,
    adopt_old: bool,
    deadline: Instant,
) -> Result<(i64, SyncReport)> {
    let (schedule, adoption) = match (schedule, adopt_old) {
        (Found::Missing, _) => return Err(NoSchedule::Missing.into()),
        (Found::Stored(mut stored), true) => {
            let desired = desired(state, &stored.parse()?, lease.applied_version, Adoption::All);
            let plan = state.manager.dry_run(&desired, deadline).await.map_err(observe_error)?;
            let targets = plan.adopted_targets();
            adoption::keep_payloads(state, actor, &mut stored, &targets).await?;
            (stored.parse()?, Adoption::Stored(targets))
        }
        (Found::Stored(stored), false) => (stored.parse()?, Adoption::None),
        // A save adopts nothing.
        (Found::Saved(schedule), _) => (*schedule, Adoption::None),
    };
    let desired = desired(state, &schedule, lease.applied_version, adoption);
    Ok((schedule.version, state.manager.reconcile(&desired, deadline).await))
}

fn desired(state: &State, schedule: &Schedule, applied_version: Option<i64>, adoption: Adoption) -> Desired {
    let settings = &state.settings;
    let compiled = compile(&schedule.config, now(&*state.clock));
    let on = schedule.is_active && schedule.config.is_active();
    let rule = |expression: &mgmt_common::schedule::cron::CronExpression| DesiredRule {
        name: settings.namespace.rule_name(expression),
        expression: expression.to_string(),
        state: if on { RuleState::Enabled } else { RuleState::Disabled },
        description: format!(
            "Keeps Lambda functions of {} {} warm; managed by module-mgmt, changes here are undone.",
            settings.namespace.project(),
            settings.namespace.env()
        ),
        target: DesiredTarget {
            id: "warmer".into(),
            arn: settings.warmer_arn.clone(),
            // The warmer needs the event's own time: the scheduled minute.
            input: None,
            dead_letter_arn: settings.dead_letter_arn.clone(),
        },
    };
    Desired {
        namespace: settings.namespace.clone(),
        rules: compiled.rules.iter().map(rule).collect(),
        config_version: schedule.version,
        applied_version,
        adoption,
    }
}

/// What a sync would do now. Reads only, and takes no lease.
pub(crate) async fn dry_run(state: &State, caller: &Caller, adopt_old: bool) -> Result<mgmt_common::rules::Plan> {
    let reading = state.database.run_as(caller, |tx| {
        async move { Ok::<_, db::Error>((leases::read_schedule(tx).await?, leases::applied_version(tx).await?)) }
            .scope_boxed()
    });
    let (stored, applied) = reading.await?;
    let adoption = if adopt_old { Adoption::All } else { Adoption::None };
    let desired = desired(state, &stored.ok_or(NoSchedule::Missing)?.parse()?, applied, adoption);
    state.manager.dry_run(&desired, Instant::now() + REQUEST_TIME).await.map_err(observe_error)
}

fn observe_error(error: mgmt_common::eventbridge::ObserveError) -> Error {
    match error {
        mgmt_common::eventbridge::ObserveError::Aws(error) => error.into(),
        mgmt_common::eventbridge::ObserveError::Plan(error) => Error::conflict("plan_refused", error.to_string()),
    }
}

pub(crate) fn pending(reason: String) -> SyncReport {
    SyncReport {
        status: SyncStatus::Pending,
        reasons: vec![reason],
        rules: Vec::new(),
        writes: 0,
        reads: 0,
        adopted: Vec::new(),
    }
}

/// The newest due minute without a run, as it was before this reconcile confirms the rules anew.
async fn heartbeat(tx: &Transaction, now: Timestamp) -> Result<Option<Timestamp>> {
    let (Some(stored), Some(beat)) = (leases::read_schedule(tx).await?, leases::read_heartbeat(tx).await?) else {
        return Ok(None);
    };
    let config = stored.parse()?.config;
    let missed = missed_tick(&config, beat.synced_at, beat.last_tick, now);
    Ok(missed.filter(|_| stored.is_active))
}

/// The hourly run: reconciles as the worker, prunes the history, and shows both in metrics.
pub(crate) async fn reconcile(state: &State, deadline: Instant) -> Result<Value> {
    let now = now(&*state.clock);
    let missed = state.transact(Actor::Worker, |tx| heartbeat(tx, now).scope_boxed()).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "whether ticks arrive is not known");
        None
    });
    if let Some(tick) = missed {
        tracing::error!(%tick, "rules fire, but no run was recorded: look at the warmer's permission and its queue");
    }
    // A clock that has just started cannot go back three seconds; then there is no time left anyway.
    let end = deadline.checked_sub(Duration::from_secs(3)).unwrap_or(deadline);
    let result = sync(state, Actor::Worker, None, false, end).await;
    let synced = result.as_ref().is_ok_and(|done| done.report.status == SyncStatus::Synced);
    let writes = result.as_ref().map_or(0, |done| done.report.writes);
    let metrics = [
        Metric { name: "TickMissed", unit: "Count", value: f64::from(u8::from(missed.is_some())) },
        Metric { name: "ReconcileNotSynced", unit: "Count", value: f64::from(u8::from(!synced)) },
        Metric { name: "RuleWrites", unit: "Count", value: f64::from(writes) },
    ];
    let namespace = &state.settings.namespace;
    let dimensions = [("Project", namespace.project()), ("Environment", namespace.env())];
    emit("ModuleMgmt", &dimensions, &metrics, now.as_millisecond());
    let done = result?;
    let pruned = state.transact(Actor::Worker, |tx| async move { warming::prune_runs(tx).await }.scope_boxed()).await?;
    Ok(json!({ "configVersion": done.version, "sync": done.report, "prunedRuns": pruned }))
}
