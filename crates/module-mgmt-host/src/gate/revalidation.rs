//! Reads an organisation's state anew: one read at a time, at the pace of the limits.

use futures_util::StreamExt as _;
use futures_util::stream;
use module_mgmt_protocol::decision::Reason;
use module_mgmt_protocol::state::{ModuleState, RegistryState};

use super::memory::Snapshot;
use super::{Credential, Gate, Moment, ReadError, StateRead};
use crate::BoxFuture;
use crate::warm::OnPing;

/// So many organisations are refreshed at the same time while a ping is held.
const REFRESHED_AT_ONCE: usize = 8;

/// What a read needs to know.
struct Plan {
    known_version: Option<String>,
    credential: Option<Credential>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// A request waits for the answer.
    Request,
    /// Nobody does.
    Ping,
}

impl Gate {
    /// Revalidates every snapshot, the most recently used first. A ping allows two seconds for it; whoever calls this directly
    /// may drop the future at any time.
    pub async fn refresh(&self) {
        let organisations = self.memory().by_use();
        let refresh = async |org_id: String| self.revalidate(&org_id, None, Cause::Ping).await;
        stream::iter(organisations).for_each_concurrent(REFRESHED_AT_ONCE, refresh).await;
    }

    pub(super) async fn revalidate_if_stale(&self, org_id: &str, credential: Option<&Credential>) {
        self.revalidate(org_id, credential, Cause::Request).await;
    }

    async fn revalidate(&self, org_id: &str, credential: Option<&Credential>, cause: Cause) {
        // Whoever waits here finds what the one before has read, or that it has just failed, and does not read again.
        let turn = self.memory().entry(org_id).turn.clone();
        let _turn = turn.lock().await;
        let began = self.shared.clock.now();
        let Some(plan) = self.plan(org_id, &began, cause) else { return };
        let credential = credential.or(plan.credential.as_ref());
        let read = self.shared.source.read(org_id, credential, plan.known_version.as_deref());
        let read = tokio::time::timeout(self.shared.limits.timeout, read).await;
        let read = read.unwrap_or_else(|_| Err(ReadError::Failed("there was no answer in time".into())));
        if let Err(error) = self.learn(org_id, read, began, credential) {
            self.fail(org_id, &error, cause);
        }
    }

    /// `None` where nothing is to be read now.
    fn plan(&self, org_id: &str, now: &Moment, cause: Cause) -> Option<Plan> {
        let limits = &self.shared.limits;
        let mut memory = self.memory();
        let organisation = memory.entry(org_id);
        let recent = |moment: &Moment, limit| now.since(moment) < limit;
        let is_fresh = organisation.snapshot.as_ref().is_some_and(|found| recent(&found.confirmed, limits.max_age));
        let backs_off = organisation.failed.as_ref().is_some_and(|failed| recent(failed, limits.retry_after));
        if backs_off || (is_fresh && cause == Cause::Request) {
            return None;
        }
        Some(Plan {
            known_version: organisation.snapshot.as_ref().map(|snapshot| snapshot.version.clone()),
            credential: organisation.credential.clone(),
        })
    }

    fn learn(
        &self,
        org_id: &str,
        read: Result<StateRead, ReadError>,
        began: Moment,
        credential: Option<&Credential>,
    ) -> Result<(), ReadError> {
        let found = match read? {
            StateRead::Unchanged => None,
            StateRead::Changed(state) => {
                if state.org_id != org_id {
                    return Err(ReadError::Failed("the answer is about another organisation".into()));
                }
                Some((state.version.clone(), self.own_module(state)?))
            }
        };
        let mut memory = self.memory();
        let organisation = memory.entry(org_id);
        match (found, &mut organisation.snapshot) {
            (Some((version, module)), snapshot) => *snapshot = Some(Snapshot { version, module, confirmed: began }),
            (None, Some(snapshot)) => snapshot.confirmed = began,
            // It left the memory while it was read, or the source confirms what it was not asked about.
            (None, None) => return Err(ReadError::Failed("nothing is known that could be unchanged".into())),
        }
        organisation.credential = credential.cloned();
        Ok(())
    }

    fn own_module(&self, state: RegistryState) -> Result<Option<ModuleState>, ReadError> {
        let module = state.modules.into_iter().find(|module| module.name == self.shared.module);
        // The state is decided before any caller is known: that somebody lacks a permission cannot stand in it.
        let is_consistent = |module: &ModuleState| match module.reason {
            None => module.enabled,
            Some(reason) => !module.enabled && reason != Reason::PermissionMissing,
        };
        if module.as_ref().is_none_or(is_consistent) {
            return Ok(module);
        }
        Err(ReadError::Failed("the answer says nothing consistent about the module".into()))
    }

    fn fail(&self, org_id: &str, error: &ReadError, cause: Cause) {
        tracing::warn!(module = self.shared.module, org_id, %error, "the module's state cannot be read");
        let now = self.shared.clock.now();
        let mut memory = self.memory();
        let organisation = memory.entry(org_id);
        match (error, cause) {
            // A kept credential has expired. The next request brings another, and need not wait for it.
            (ReadError::Credential(_), Cause::Ping) => organisation.credential = None,
            _ => organisation.failed = Some(now),
        }
    }
}

/// A ping keeps the snapshots young, so that the first request after a pause need not wait.
impl OnPing for Gate {
    fn on_ping(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.refresh())
    }
}
