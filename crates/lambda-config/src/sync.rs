//! From the stored schedule to the rules on the bus, under a lease.
//!
//! The config row is the truth: it is committed before any of this runs, and whatever is left undone here is stored as
//! pending with its reason, for the next save, manual sync or hourly reconcile.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use mgmt_common::db::{self, Transaction, Work};
use mgmt_common::eventbridge::{SyncReport, SyncStatus};
use mgmt_common::rules::{Adoption, Desired, DesiredRule, DesiredTarget, RuleState};
use mgmt_common::schedule::compile::compile;
use mgmt_common::schedule::config::WarmingConfig;
use mgmt_common::schedule::heartbeat::missed_tick;
use mgmt_common::telemetry::{Metric, emit};
use mgmt_common::web::error::{Error, Result};
use module_mgmt_protocol::caller::Caller;
use scoped_futures::ScopedFutureExt as _;
use serde_json::{Value, json};

use crate::State;
use crate::adoption;
use crate::store::leases::{self, Finding, LEASE_SECONDS, Lease, StoredSchedule};
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

/// As whom a sync reads and writes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Actor<'a> {
    Caller(&'a Caller),
    Worker,
}

/// What came of a sync.
pub(crate) struct Synced {
    /// The schedule's version that was worked on; `None` when none was.
    pub(crate) version: Option<i64>,
    pub(crate) report: SyncReport,
}

impl State {
    pub(crate) async fn transact<'work, T, E>(&self, actor: Actor<'_>, work: impl Work<'work, T, E>) -> Result<T, E>
    where
        E: From<db::Error>,
    {
        match actor {
            Actor::Caller(caller) => self.database.run_as(caller, work).await,
            Actor::Worker => self.database.run_as_worker(work).await,
        }
    }
}

/// Brings the rules to the stored schedule.
///
/// # Errors
/// The database does not answer, or the schedule is missing or unreadable: then nothing on the bus was touched.
/// Trouble with AWS is no error but a report that says pending.
pub(crate) async fn sync(state: &State, actor: Actor<'_>, adopt_old: bool, deadline: Instant) -> Result<Synced> {
    let mut round = 1;
    loop {
        let Some(Begun { lease, stored, asked_at }) = begin(state, actor, deadline).await? else {
            let reason = "another reconcile is at work; this schedule follows when that ends, or with the hourly \
                          reconcile at the latest";
            return Ok(Synced { version: None, report: pending(reason.into()) });
        };
        let lease_end = asked_at + Duration::from_secs(LEASE_SECONDS.unsigned_abs().into()) - LEASE_MARGIN;
        let result = work(state, actor, lease, stored, adopt_old, deadline.min(lease_end)).await;
        let finding = &Finding {
            synced_version: result
                .as_ref()
                .ok()
                .filter(|done| done.report.status == SyncStatus::Synced)
                .and_then(|done| done.version),
            error: match &result {
                Ok(done) => Some(done.report.reasons.join("; ")).filter(|reasons| !reasons.is_empty()),
                Err(error) => Some(error.public_detail()),
            },
            observed: result.as_ref().ok().and_then(|done| serde_json::to_value(&done.report.rules).ok()),
        };
        let now =
            state.transact(actor, |tx| async move { leases::finish(tx, lease, finding).await }.scope_boxed()).await?;
        let done = result?;
        let overtaken = now.is_some_and(|version| Some(version) != done.version);
        if !overtaken || round == ROUNDS || Instant::now() + LEASE_MARGIN > deadline {
            return Ok(done);
        }
        round += 1;
    }
}

/// What a reconcile starts with.
struct Begun {
    lease: Lease,
    stored: Option<StoredSchedule>,
    /// Before the transaction that took the lease: the database counts the lease from the transaction's begin.
    asked_at: Instant,
}

/// Takes the lease and reads the schedule in one transaction, waiting a little for another reconcile.
async fn begin(state: &State, actor: Actor<'_>, deadline: Instant) -> Result<Option<Begun>> {
    let give_up = deadline.min(Instant::now() + LEASE_WAIT);
    let holder = match actor {
        Actor::Caller(caller) => caller.user_id.as_str(),
        Actor::Worker => "worker",
    };
    loop {
        let asked_at = Instant::now();
        let begun = state
            .transact(actor, |tx| {
                async move {
                    match leases::take_lease(tx, holder).await? {
                        Some(lease) => Ok::<_, db::Error>(Some(Begun {
                            lease,
                            stored: leases::read_schedule(tx).await?,
                            asked_at,
                        })),
                        None => Ok(None),
                    }
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

async fn work(
    state: &State,
    actor: Actor<'_>,
    lease: Lease,
    stored: Option<StoredSchedule>,
    adopt_old: bool,
    deadline: Instant,
) -> Result<Synced> {
    let mut stored = stored.ok_or_else(missing)?;
    let mut adoption = Adoption::None;
    if adopt_old {
        let desired = desired(state, &parse(&stored)?, lease.applied_version, Adoption::All);
        let plan = state.manager.dry_run(&desired, deadline).await.map_err(observe_error)?;
        let targets = plan.adopted_targets();
        adoption::keep_payloads(state, actor, &mut stored, &targets).await?;
        adoption = Adoption::Stored(targets);
    }
    let desired = desired(state, &parse(&stored)?, lease.applied_version, adoption);
    let report = state.manager.reconcile(&desired, deadline).await;
    Ok(Synced { version: Some(stored.version), report })
}

/// The stored schedule, known to be valid.
struct Parsed {
    config: WarmingConfig,
    is_active: bool,
    version: i64,
}

fn parse(stored: &StoredSchedule) -> Result<Parsed> {
    let config = WarmingConfig::parse(&stored.value).map_err(|errors| {
        let all: Vec<String> = errors.iter().map(|error| format!("{} {}", error.pointer, error.message)).collect();
        let detail =
            format!("the stored lambda_warming config cannot be read, so no rule was touched: {}", all.join("; "));
        Error::conflict("config_unreadable", detail)
    })?;
    Ok(Parsed { config, is_active: stored.is_active, version: stored.version })
}

fn missing() -> Error {
    let detail = "there is no lambda_warming config to follow, so no rule was touched".to_owned();
    Error::conflict("config_missing", detail)
}

fn desired(state: &State, parsed: &Parsed, applied_version: Option<i64>, adoption: Adoption) -> Desired {
    let settings = &state.settings;
    let compiled = compile(&parsed.config, Timestamp::now());
    let on = parsed.is_active && parsed.config.is_active();
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
        config_version: parsed.version,
        applied_version,
        adoption,
    }
}

/// What a sync would do now. Reads only, and takes no lease.
pub(crate) async fn dry_run(state: &State, caller: &Caller, adopt_old: bool) -> Result<mgmt_common::rules::Plan> {
    let stored =
        state.database.run_as(caller, |tx| async move { leases::read_schedule(tx).await }.scope_boxed()).await?;
    let applied =
        state.database.run_as(caller, |tx| async move { leases::applied_version(tx).await }.scope_boxed()).await?;
    let adoption = if adopt_old { Adoption::All } else { Adoption::None };
    let desired = desired(state, &parse(&stored.ok_or_else(missing)?)?, applied, adoption);
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
async fn heartbeat(tx: &Transaction) -> Result<Option<Timestamp>> {
    let (Some(stored), Some(beat)) = (leases::read_schedule(tx).await?, leases::read_heartbeat(tx).await?) else {
        return Ok(None);
    };
    let config = parse(&stored)?.config;
    let missed = missed_tick(&config, beat.synced_at, beat.last_tick, Timestamp::now());
    Ok(missed.filter(|_| stored.is_active))
}

/// The hourly run: reconciles as the worker, prunes the history, and shows both in metrics.
pub(crate) async fn reconcile(state: &State, deadline: Instant) -> Result<Value> {
    let missed = state.transact(Actor::Worker, |tx| heartbeat(tx).scope_boxed()).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "whether ticks arrive is not known");
        None
    });
    if let Some(tick) = missed {
        tracing::error!(%tick, "rules fire, but no run was recorded: look at the warmer's permission and its queue");
    }
    // A clock that has just started cannot go back three seconds; then there is no time left anyway.
    let end = deadline.checked_sub(Duration::from_secs(3)).unwrap_or(deadline);
    let result = sync(state, Actor::Worker, false, end).await;
    let synced = result.as_ref().is_ok_and(|done| done.report.status == SyncStatus::Synced);
    let writes = result.as_ref().map_or(0, |done| done.report.writes);
    let metrics = [
        Metric { name: "TickMissed", unit: "Count", value: f64::from(u8::from(missed.is_some())) },
        Metric { name: "ReconcileNotSynced", unit: "Count", value: f64::from(u8::from(!synced)) },
        Metric { name: "RuleWrites", unit: "Count", value: f64::from(writes) },
    ];
    let namespace = &state.settings.namespace;
    let dimensions = [("Project", namespace.project()), ("Environment", namespace.env())];
    emit("ModuleMgmt", &dimensions, &metrics, Timestamp::now().as_millisecond());
    let done = result?;
    let pruned = state.transact(Actor::Worker, |tx| async move { warming::prune_runs(tx).await }.scope_boxed()).await?;
    Ok(json!({ "configVersion": done.version, "sync": done.report, "prunedRuns": pruned }))
}
