//! Reads an organisation's state anew: one read at a time, in a task of its own, at the pace of the limits.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use module_mgmt_protocol::decision::Reason;
use module_mgmt_protocol::state::{ModuleState, RegistryState};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Instrument as _;

use super::memory::{Reading, Snapshot};
use super::{Credential, Gate, GateLimits, Moment, ReadError, StateRead};
use crate::BoxFuture;
use crate::warm::OnPing;

/// So many organisations are refreshed at the same time while a ping is held.
const REFRESHED_AT_ONCE: usize = 8;

/// What a read needs to know.
struct Plan {
    org_id: String,
    cause: Cause,
    began: Moment,
    known_version: Option<String>,
    credential: Option<Credential>,
    is_overdue: Arc<AtomicBool>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// A request waits for the answer.
    Request,
    /// Nobody does.
    Ping,
}

/// A read that is worth waiting for.
struct Awaited {
    ended: watch::Receiver<()>,
    /// `None` is until it ends, which it does in its own time limit.
    until: Option<Instant>,
    /// Whoever waits has begun it.
    is_own: bool,
}

impl Gate {
    /// Revalidates every snapshot, the most recently used first. A ping allows two seconds for it; whoever calls this directly
    /// may drop the future at any time.
    pub async fn refresh(&self) {
        let organisations = self.memory().by_use();
        let refresh = async |org_id: String| {
            if let Some(read) = self.read_to_wait_for(&org_id, None, Cause::Ping) {
                self.wait_for(read).await;
            }
        };
        stream::iter(organisations).for_each_concurrent(REFRESHED_AT_ONCE, refresh).await;
    }

    pub(super) async fn revalidate_if_stale(&self, org_id: &str, credential: Option<&Credential>) {
        let patience_ends = Instant::now() + self.shared.limits.patience;
        while let Some(mut read) = self.read_to_wait_for(org_id, credential, Cause::Request) {
            // Somebody else's read may end without a word about this request: a ping's, whose credential has expired.
            read.until = read.until.map(|until| until.min(patience_ends));
            let is_own = read.is_own;
            if !self.wait_for(read).await || is_own {
                return;
            }
        }
    }

    /// Whether the read has ended in time.
    async fn wait_for(&self, mut read: Awaited) -> bool {
        let ended = read.ended.changed();
        let in_time = match read.until {
            None => {
                let _ = ended.await;
                true
            }
            Some(until) => timeout_at(until, ended).await.is_ok(),
        };
        if !in_time {
            self.shared.is_silent.store(true, Ordering::Relaxed);
        }
        in_time
    }

    /// The read that is under way or that begins now. `None` where nothing is to be read, or where the request need not wait.
    fn read_to_wait_for(&self, org_id: &str, credential: Option<&Credential>, cause: Cause) -> Option<Awaited> {
        let limits = &self.shared.limits;
        let now = self.shared.clock.now();
        let mut memory = self.memory();
        let organisation = memory.entry(org_id);
        let age = organisation.snapshot.as_ref().map(|snapshot| now.since(&snapshot.confirmed));
        if cause == Cause::Request && age.is_some_and(|age| age < limits.max_age) {
            return None;
        }
        let takes_full_time = cause == Cause::Ping || age.is_none_or(|age| age >= limits.max_stale);
        let awaited = |reading: &Reading, is_own| {
            let until = (!takes_full_time).then_some(reading.patience_ends);
            let is_over = until.is_some_and(|until| until <= Instant::now());
            (!is_over).then(|| Awaited { ended: reading.ended.clone(), until, is_own })
        };
        if let Some(reading) = organisation.reading.as_ref().filter(|reading| reading.is_under_way()) {
            if now.since(&reading.began) < limits.timeout {
                return awaited(reading, false);
            }
            // One whose sandbox was frozen has had no time to fail, nor will it be worth waiting for.
            let had_its_time = now.steady.saturating_duration_since(reading.began.steady) >= limits.timeout;
            if had_its_time && !reading.is_overdue.swap(true, Ordering::Relaxed) {
                organisation.back_off.fail(due(reading, limits), limits.retry_after);
                self.shared.is_silent.store(true, Ordering::Relaxed);
            }
        }
        let is_paused = if takes_full_time {
            organisation.back_off.is_paused_for_less(&now, limits.retry_after)
        } else {
            organisation.back_off.is_paused(&now)
        };
        if is_paused {
            return None;
        }
        let holds_nobody = organisation.back_off.has_failed() || self.shared.is_silent.load(Ordering::Relaxed);
        let patience_ends = Instant::now() + if holds_nobody { Duration::ZERO } else { limits.patience };
        let (under_way, ended) = watch::channel(());
        let is_overdue = Arc::new(AtomicBool::new(false));
        let plan = Plan {
            org_id: org_id.to_owned(),
            cause,
            began: now,
            known_version: organisation.snapshot.as_ref().map(|snapshot| snapshot.version.clone()),
            credential: credential.or(organisation.credential.as_ref()).cloned(),
            is_overdue: Arc::clone(&is_overdue),
        };
        let reading = Reading { began: now, ended, patience_ends, is_overdue };
        let awaited = awaited(&reading, true);
        organisation.reading = Some(reading);
        tokio::spawn(self.clone().read(plan, under_way).in_current_span());
        awaited
    }

    async fn read(self, plan: Plan, under_way: watch::Sender<()>) {
        let source = &self.shared.source;
        let read = async { source.read(&plan.org_id, plan.credential.as_ref(), plan.known_version.as_deref()).await };
        // Nothing of the source is looked at after its panic but the source itself, which the next read asks.
        let read = AssertUnwindSafe(timeout(self.shared.limits.timeout, read)).catch_unwind().await;
        let read = match read {
            Ok(Ok(read)) => read,
            Ok(Err(_)) => {
                self.shared.is_silent.store(true, Ordering::Relaxed);
                Err(ReadError::Failed("there was no answer in time".into()))
            }
            Err(_) => Err(ReadError::Failed("the source has panicked".into())),
        };
        if let Err(error) = self.learn(&plan, read) {
            self.fail(&plan, &error);
        }
        drop(under_way);
    }

    fn learn(&self, plan: &Plan, read: Result<StateRead, ReadError>) -> Result<(), ReadError> {
        let found = match read? {
            StateRead::Unchanged => None,
            StateRead::Changed(state) => {
                if state.org_id != plan.org_id {
                    return Err(ReadError::Failed("the answer is about another organisation".into()));
                }
                Some((state.version.clone(), self.own_module(state)?))
            }
        };
        let mut memory = self.memory();
        let organisation = memory.entry(&plan.org_id);
        let is_overtaken = |snapshot: &Snapshot| snapshot.confirmed.steady > plan.began.steady;
        match (found, &mut organisation.snapshot) {
            // A read that was overdue answers after all, and a later one was faster.
            (_, Some(snapshot)) if is_overtaken(snapshot) => {}
            (Some((version, module)), snapshot) => {
                *snapshot = Some(Snapshot { version, module, confirmed: plan.began });
            }
            (None, Some(snapshot)) if plan.known_version.as_ref() == Some(&snapshot.version) => {
                snapshot.confirmed = plan.began;
            }
            // It left the memory while it was read, or the source confirms what it was not asked about.
            (None, _) => return Err(ReadError::Failed("nothing is known that could be unchanged".into())),
        }
        organisation.credential.clone_from(&plan.credential);
        organisation.back_off.end();
        self.shared.is_silent.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn own_module(&self, state: RegistryState) -> Result<Option<ModuleState>, ReadError> {
        let module = state.modules.into_iter().find(|module| module.name == self.shared.module);
        // The state is decided before any caller is known: that somebody lacks a permission cannot stand in it. Off without a reason is
        // off all the same.
        let is_consistent = |module: &ModuleState| match module.reason {
            None => true,
            Some(reason) => !module.enabled && reason != Reason::PermissionMissing,
        };
        if module.as_ref().is_none_or(is_consistent) {
            return Ok(module);
        }
        Err(ReadError::Failed("the answer says nothing consistent about the module".into()))
    }

    fn fail(&self, plan: &Plan, error: &ReadError) {
        let (module, org_id) = (&self.shared.module, &plan.org_id);
        tracing::warn!(module, org_id, %error, "the module's state cannot be read");
        let now = self.shared.clock.now();
        let retry_after = self.shared.limits.retry_after;
        let mut memory = self.memory();
        let organisation = memory.entry(org_id);
        match (error, plan.cause) {
            // A kept credential has expired. The next request brings another, and need not wait for it.
            (ReadError::Credential(_), Cause::Ping) => organisation.credential = None,
            // The next caller may have a better one.
            (ReadError::Credential(_), Cause::Request) => organisation.back_off.pause(now, retry_after),
            _ if plan.is_overdue.swap(true, Ordering::Relaxed) => {}
            _ => organisation.back_off.fail(now, retry_after),
        }
    }
}

/// When a read should have ended.
fn due(reading: &Reading, limits: &GateLimits) -> Moment {
    let Moment { wall, steady } = reading.began;
    Moment { wall: wall + limits.timeout, steady: steady + limits.timeout }
}

/// A ping keeps the snapshots young, so that the first request after a pause need not wait.
impl OnPing for Gate {
    fn on_ping(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.refresh())
    }
}
