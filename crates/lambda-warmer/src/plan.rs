//! What a run means to send one function, decided before the first ping of the run.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use mgmt_common::warming::report::TargetStatus;

use crate::State;
use crate::capacity::{Limit, allow};
use crate::permits::Permits;
use crate::proof::{PingDecision, TargetRecord, decide_ping};
use crate::target::{Target, fingerprint};

/// For everything that is asked before the first ping. What is not known by then counts as not known.
const LOOK_TIME: Duration = Duration::from_secs(5);

pub(crate) struct TargetPlan<'a> {
    pub(crate) target: &'a Target,
    pub(crate) decision: PingDecision,
    /// The code that `decision` is about.
    pub(crate) code: Option<String>,
    pub(crate) reserved: Limit,
    pub(crate) pings: u32,
    /// Why that is fewer than wanted.
    pub(crate) cut: Option<String>,
    /// Why nothing is sent after all.
    pub(crate) held_back: Option<String>,
}

impl TargetPlan<'_> {
    /// The row that stands while the first ping is under way.
    pub(crate) fn probing(&self) -> TargetRecord {
        TargetRecord {
            fingerprint: fingerprint(&self.target.function),
            status: TargetStatus::Probing,
            code_sha256: self.code.clone(),
            reason: None,
        }
    }

    pub(crate) fn is_probe(&self) -> bool {
        self.decision == PingDecision::Probe && self.pings > 0 && self.held_back.is_none()
    }
}

pub(crate) struct RunPlan<'a> {
    /// In the order of the targets.
    pub(crate) plans: Vec<TargetPlan<'a>>,
    pub(crate) permits: Permits,
    /// What a person should know about all of them.
    pub(crate) notes: Vec<String>,
}

/// Asks Lambda for limits and code, all at once, and decides.
pub(crate) async fn plan<'a>(state: &State, targets: &'a [Target], deadline: Instant) -> RunPlan<'a> {
    let until = deadline.min(Instant::now() + LOOK_TIME);
    let (lambda, functions) = (&state.control_plane, &state.functions);
    let mut reserved: BTreeMap<&str, Limit> =
        targets.iter().map(|target| (target.function.name.as_str(), Limit::Free)).collect();
    let of_functions = join_all(reserved.iter_mut().map(async |(name, limit)| {
        *limit = lambda.reserved(functions, name, until).await;
    }));
    let codes = join_all(
        targets.iter().map(
            async |target| {
                if target.is_native() { lambda.code(functions, target, until).await } else { None }
            },
        ),
    );
    let (unreserved, (_, codes)) = join(lambda.unreserved(functions, until), join(of_functions, codes)).await;

    let limit_of = |target: &Target| reserved.get(target.function.name.as_str()).copied().unwrap_or(Limit::Unknown);
    let limits = targets.iter().map(|target| (target.bare_name(), limit_of(target)));
    let permits = Permits::new(state.settings.max_in_flight, unreserved, limits);
    let plans = targets.iter().zip(codes).map(|(target, code)| {
        let reserved = limit_of(target);
        let (pings, cut) = cut(target, reserved, unreserved, permits.most(target.bare_name(), reserved));
        // Payloads that prove nothing have nothing to be found out first.
        let decision =
            if target.is_native() { decide_ping(target.known(), code.as_deref()) } else { PingDecision::Proven };
        TargetPlan { target, decision, code, reserved, pings, cut, held_back: None }
    });
    let plans = plans.collect();
    let denied = [
        ("lambda:GetAccountSettings", unreserved == Limit::AccessDenied),
        ("lambda:GetFunctionConcurrency", reserved.values().any(|limit| *limit == Limit::AccessDenied)),
    ];
    let notes = denied.iter().filter(|(_, is_denied)| *is_denied);
    let notes = notes.map(|(action, _)| format!("{action} is denied, so pings are not limited by what it would tell"));
    RunPlan { plans, permits, notes: notes.collect() }
}

fn cut(target: &Target, reserved: Limit, unreserved: Limit, most: u32) -> (u32, Option<String>) {
    let wanted = u32::from(target.function.concurrency);
    let allowed = allow(wanted, reserved, unreserved);
    let pings = allowed.pings.min(most);
    let why = match allowed.cut_by {
        Some(limit) => limit.to_string(),
        None if pings < wanted => format!("{most} may be under way at once"),
        None => return (pings, None),
    };
    (pings, Some(format!("only {pings} of {wanted} pings, because {why}")))
}
