//! Pings all functions of a run: many at once, the pings of one function always together.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mgmt_common::warming::report::{Figures, FunctionReport, FunctionState, TargetStatus};

use crate::State;
use crate::claim::claim;
use crate::plan::{RunPlan, TargetPlan, plan};
use crate::proof::{Key, PendingChanges, PingDecision, TargetChange, TargetRecord};
use crate::tally::Tally;
use crate::target::{Target, fingerprint};
use crate::warm::{ProbeResult, Run};

/// For asking which code was suspended; without an answer it is asked for again in the next ticks.
const LOOK_AFTER_TIME: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(crate) struct RunResults {
    /// In the order of the targets.
    pub(crate) functions: Vec<FunctionReport>,
    /// What the pings have taught.
    pub(crate) changes: PendingChanges,
    /// What a person should know about the run as a whole.
    pub(crate) notes: Vec<String>,
}

/// Pings every target before the deadline.
pub(crate) async fn run(state: &State, id: &str, targets: &[Target], deadline: Instant) -> RunResults {
    if targets.is_empty() {
        return RunResults::default();
    }
    let RunPlan { mut plans, permits, notes } = plan(state, targets, deadline).await;
    claim(state, &mut plans).await;
    let run = Run { state, id, permits, deadline };
    let mut fanned_out = RunResults { notes, ..RunResults::default() };
    for (report, change) in join_all(plans.iter().map(|plan| run.warm(plan))).await {
        fanned_out.functions.push(report);
        fanned_out.changes.extend(change);
    }
    fanned_out
}

type TargetResult = (FunctionReport, Option<(Key, TargetChange)>);

impl Run<'_> {
    async fn warm(&self, plan: &TargetPlan<'_>) -> TargetResult {
        if let Some(why) = &plan.held_back {
            return (report(plan, &Tally::default(), None, vec![why.clone()], false), None);
        }
        if let PingDecision::Suspended(reason) = &plan.decision {
            let report = report(plan, &Tally::default(), Some(reason), Vec::new(), false);
            return (report, named_late(plan).map(|change| (plan.target.key(), change)));
        }
        let pinged = self.ping(plan).await;
        let cut =
            if pinged.in_time { plan.cut.clone() } else { Some("the time was over before all pings were sent".into()) };
        let suspended = match &pinged.probe_result {
            ProbeResult::Suspended(what) => Some(what.as_str()),
            _ => None,
        };
        let is_cut = cut.is_some();
        let notes = cut.into_iter().chain(pinged.tally.last_error.clone()).collect();
        let report = report(plan, &pinged.tally, suspended, notes, is_cut);
        let change = self.change(plan, pinged.probe_result).await;
        (report, change.map(|change| (plan.target.key(), change)))
    }

    async fn change(&self, plan: &TargetPlan<'_>, probe_result: ProbeResult) -> Option<TargetChange> {
        let known = |status, code_sha256, reason| TargetRecord {
            fingerprint: fingerprint(&plan.target.function),
            status,
            code_sha256,
            reason,
        };
        let after = match probe_result {
            ProbeResult::NoNews => return None,
            // The code that was there before the ping: where another has come since, that is probed on its own.
            ProbeResult::Proven => Some(known(TargetStatus::Proven, plan.code.clone(), None)),
            // The code that is there now: whether the ping met it or the one before, it must not be pinged again.
            ProbeResult::Suspended(what) => {
                let until = Instant::now() + LOOK_AFTER_TIME;
                let code = self.state.control_plane.code_now(&self.state.functions, plan.target, until).await;
                Some(known(TargetStatus::Suspended, code, Some(what)))
            }
            ProbeResult::NothingRan => plan.target.stored.clone(),
        };
        let before = if plan.is_probe() { Some(plan.probing()) } else { plan.target.stored.clone() };
        Some(TargetChange { before, after })
    }
}

/// A suspension whose code could not be read when it was found gets its code now: without one it would outlast every
/// deployment. A row that says `probing` is left alone: its tick may still be under way, and writes only over its own row.
fn named_late(plan: &TargetPlan<'_>) -> Option<TargetChange> {
    let is_nameless = |known: &&TargetRecord| known.status == TargetStatus::Suspended && known.code_sha256.is_none();
    let before = plan.target.known().filter(is_nameless)?;
    let after = TargetRecord { code_sha256: Some(plan.code.clone()?), ..before.clone() };
    Some(TargetChange { before: Some(before.clone()), after: Some(after) })
}

fn report(
    plan: &TargetPlan<'_>,
    tally: &Tally,
    suspended: Option<&str>,
    notes: Vec<String>,
    cut: bool,
) -> FunctionReport {
    let function = &plan.target.function;
    let wanted = u32::from(function.concurrency);
    let figures = Figures {
        asked: wanted,
        reached: tally.answered.min(wanted),
        unique: plan.target.is_native().then(|| tally.unique().min(wanted)),
        cold: tally.cold,
        init_ms: tally.init_ms,
        throttled: tally.throttled,
        errors: tally.errors,
    };
    let state = match (suspended, figures.unique.unwrap_or(figures.reached)) {
        (Some(_), _) => FunctionState::Suspended,
        (None, 0) => FunctionState::Failed,
        (None, warm) if warm < wanted => FunctionState::Short,
        (None, _) => FunctionState::Warm,
    };
    let suspension = suspended.map(|what| format!("suspended, because it does not answer the warm protocol: {what}"));
    let notes: Vec<String> = suspension.into_iter().chain(notes).collect();
    FunctionReport {
        name: function.name.clone(),
        qualifier: function.qualifier.clone(),
        state,
        figures,
        cut,
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    }
}
