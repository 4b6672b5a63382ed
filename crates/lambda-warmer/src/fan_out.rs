//! Pings all functions of a run: many at once, the pings of one function always together.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mgmt_common::host::warm::Ping;
use tokio::sync::Semaphore;

use crate::State;
use crate::capacity::{allow, share};
use crate::ping::{Shown, message, shown};
use crate::report::{Figures, FunctionReport};
use crate::target::{Known, Target, fingerprint};

/// A ping that takes longer than its hold and this much is given up.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// Before a throttled function is pinged again.
const BACK_OFF: Duration = Duration::from_millis(400);

/// A function's report, and what its pings have taught about it.
pub(crate) struct Warmed {
    pub(crate) report: FunctionReport,
    pub(crate) learned: Option<Known>,
}

/// What all functions of a run share.
struct Run<'a> {
    state: &'a State,
    id: &'a str,
    unreserved: Option<u32>,
    /// Pings that may be under way at once: with a reservation of their own, and out of what everybody shares.
    reserved_pool: Semaphore,
    shared_pool: Semaphore,
    shared_size: u32,
    deadline: Instant,
}

/// Pings every target before the deadline.
pub(crate) async fn run(state: &State, id: &str, targets: Vec<Target>, deadline: Instant) -> Vec<Warmed> {
    if targets.is_empty() {
        return Vec::new();
    }
    let max_in_flight = state.settings.max_in_flight;
    let unreserved = state.capacity.unreserved(&state.functions).await;
    let shared_size = share(max_in_flight, unreserved);
    let run = Run {
        state,
        id,
        unreserved,
        reserved_pool: Semaphore::new(max_in_flight as usize),
        shared_pool: Semaphore::new(shared_size as usize),
        shared_size,
        deadline,
    };
    join_all(targets.iter().map(|target| run.warm(target))).await
}

/// Figures of one function while they grow.
#[derive(Default)]
struct Tally {
    answered: u32,
    instances: BTreeSet<String>,
    cold: u32,
    init_ms: u64,
    throttled: u32,
    errors: u32,
    last_error: Option<String>,
    not_the_protocol: Option<String>,
}

impl Tally {
    fn add(&mut self, shown: Shown) {
        match shown {
            Shown::Reached(proof) => {
                self.answered += 1;
                let Some(answer) = proof else { return };
                if answer.cold_start {
                    self.cold += 1;
                    self.init_ms += answer.init_ms;
                }
                self.instances.insert(answer.instance_id);
            }
            Shown::NotTheProtocol(what) => {
                self.errors += 1;
                self.not_the_protocol = Some(what);
            }
            Shown::Throttled => self.throttled += 1,
            Shown::Failed(what) => {
                self.errors += 1;
                self.last_error = Some(what);
            }
        }
    }

    fn unique(&self) -> u32 {
        u32::try_from(self.instances.len()).unwrap_or(u32::MAX)
    }
}

impl Run<'_> {
    async fn warm(&self, target: &Target) -> Warmed {
        let function = &target.function;
        let wanted = u32::from(function.concurrency);
        let mut tally = Tally::default();
        if let Some(reason) = self.still_suspended(target).await {
            return warmed(target, wanted, &tally, None, Some(reason));
        }
        let reserved = self.state.capacity.reserved(&self.state.functions, &function.name).await;
        let allowed = allow(wanted, reserved, self.unreserved);
        let (pool, size) = match reserved {
            Some(_) => (&self.reserved_pool, self.state.settings.max_in_flight),
            None => (&self.shared_pool, self.shared_size),
        };
        let pings = allowed.pings.min(size);
        let mut cut = allowed.cut_by.map(|limit| format!("only {pings} of {wanted} pings, because {limit}"));
        if cut.is_none() && pings < wanted {
            cut = Some(format!("only {pings} of {wanted} pings, because {size} may be under way at once"));
        }
        if pings > 0 && !self.ping_all(target, pings, pool, &mut tally).await {
            cut = Some("the time was over before all pings were sent".into());
        }
        let suspended = match tally.not_the_protocol.take() {
            Some(what) => Some((what, self.code(target).await)),
            None => None,
        };
        let learned = learned(target, &tally, suspended.as_ref());
        let mut warmed = warmed(target, wanted, &tally, cut, suspended.map(|(what, _)| what));
        warmed.learned = learned;
        warmed
    }

    /// Probes an unproven function with a single ping, then sends all pings together and once more where some fell short.
    /// False: the time was over.
    async fn ping_all(&self, target: &Target, pings: u32, pool: &Semaphore, tally: &mut Tally) -> bool {
        let is_proven = target.known.as_ref().is_some_and(|known| known.is_proven);
        if target.is_native() && !is_proven {
            let hold = if pings == 1 { self.state.settings.hold } else { Duration::ZERO };
            let mut probe = Tally::default();
            if !self.round(target, 1, hold, pool, &mut probe).await {
                return false;
            }
            tally.cold += probe.cold;
            tally.init_ms += probe.init_ms;
            if pings == 1 || probe.answered == 0 {
                *tally = probe;
                return true;
            }
        }
        let hold = self.state.settings.hold;
        if !self.round(target, pings, hold, pool, tally).await {
            return false;
        }
        let short = pings - if target.is_native() { tally.unique().min(pings) } else { tally.answered };
        if short == 0 || tally.not_the_protocol.is_some() {
            return true;
        }
        if tally.throttled > 0 {
            tokio::time::sleep(BACK_OFF).await;
        }
        // Native pings go out in full again: a smaller number would meet the instances that are warm already. Others prove
        // nothing, so only those that failed are repeated.
        let again = if target.is_native() { pings } else { short };
        self.round(target, again, hold, pool, tally).await
    }

    /// Sends pings that start together. False: there was no time for them.
    async fn round(&self, target: &Target, pings: u32, hold: Duration, pool: &Semaphore, tally: &mut Tally) -> bool {
        // The pool is never closed and never smaller than `pings`.
        let permit = pool.acquire_many(pings).await;
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left < hold + Duration::from_millis(100) {
            return false;
        }
        let limit = left.min(hold + ANSWER_TIME);
        let hold_ms = u64::try_from(hold.as_millis()).unwrap_or(u64::MAX);
        let sent = (1..=pings).map(async |invocation| {
            let ping = Ping { run_id: self.id.to_owned(), invocation, of: pings, hold_ms };
            let message = message(&target.function.payload, &ping);
            let (name, qualifier) = (&target.function.name, target.function.qualifier.as_deref());
            let context = message.client_context.as_deref();
            let outcome = self.state.functions.invoke(name, qualifier, message.payload, context, limit).await;
            shown(&target.function.payload, outcome)
        });
        for shown in join_all(sent).await {
            tally.add(shown);
        }
        drop(permit);
        true
    }

    /// Why a suspended function stays so. Other code behind it may answer the protocol, so it is tried anew.
    async fn still_suspended(&self, target: &Target) -> Option<String> {
        let known = target.known.as_ref().filter(|known| target.is_native() && !known.is_proven)?;
        let reason = || known.reason.clone().unwrap_or_default();
        match self.code(target).await {
            Some(code) if known.code_sha256.as_ref().is_some_and(|suspended| *suspended != code) => None,
            _ => Some(reason()),
        }
    }

    async fn code(&self, target: &Target) -> Option<String> {
        let (name, qualifier) = (&target.function.name, target.function.qualifier.as_deref());
        match self.state.functions.code_sha256(name, qualifier).await {
            Ok(code) => code,
            Err(error) => {
                tracing::warn!(function = name, %error, "the function's code is not known");
                None
            }
        }
    }
}

fn learned(target: &Target, tally: &Tally, suspended: Option<&(String, Option<String>)>) -> Option<Known> {
    let known = |is_proven, code_sha256, reason| Known {
        fingerprint: fingerprint(&target.function),
        is_proven,
        code_sha256,
        reason,
    };
    match suspended {
        Some((what, code)) => Some(known(false, code.clone(), Some(what.clone()))),
        None if target.is_native() && tally.answered > 0 => {
            let is_news = !target.known.as_ref().is_some_and(|known| known.is_proven);
            is_news.then(|| known(true, None, None))
        }
        None => None,
    }
}

fn warmed(target: &Target, wanted: u32, tally: &Tally, cut: Option<String>, suspended: Option<String>) -> Warmed {
    let figures = Figures {
        asked: wanted,
        reached: tally.answered.min(wanted),
        unique: target.is_native().then(|| tally.unique().min(wanted)),
        cold: tally.cold,
        init_ms: tally.init_ms,
        throttled: tally.throttled,
        errors: tally.errors,
    };
    let warm = figures.unique.unwrap_or(figures.reached);
    let state = match (&suspended, warm) {
        (Some(_), _) => "suspended",
        (None, 0) => "failed",
        (None, warm) if warm < wanted => "short",
        (None, _) => "warm",
    };
    let is_cut = cut.is_some();
    let suspension = suspended.map(|what| format!("suspended, because it does not answer the warm protocol: {what}"));
    let notes: Vec<String> = [suspension, cut, tally.last_error.clone()].into_iter().flatten().collect();
    let report = FunctionReport {
        name: target.function.name.clone(),
        qualifier: target.function.qualifier.clone(),
        state,
        figures,
        cut: is_cut,
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    };
    Warmed { report, learned: None }
}
