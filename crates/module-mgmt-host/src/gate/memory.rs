//! The snapshots of the organisations that a sandbox serves, and which of them may stay.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use module_mgmt_protocol::decision::{Permissions, Reason};
use module_mgmt_protocol::state::{ModuleState, ModuleType};

use super::{ClosedReason, Credential, Moment, Verdict};
use crate::back_off::BackOff;

/// Organisations by id; nothing that is known about one is ever looked at for another.
pub(super) struct Memory {
    organisations: HashMap<String, Organisation>,
    /// The one that is asked about stays, even where this is zero.
    capacity: usize,
    /// Counts uses, which orders them without a clock.
    uses: u64,
}

#[derive(Default)]
pub(super) struct Organisation {
    last_use: u64,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) back_off: BackOff,
    /// The newest one that the source accepted.
    pub(super) credential: Option<Credential>,
    /// The newest read; it may have ended.
    pub(super) reading: Option<Reading>,
}

/// A read that has begun. It runs in a task of its own.
pub(super) struct Reading {
    pub(super) began: Moment,
    /// Its sender is dropped when the read has ended.
    pub(super) ended: tokio::sync::watch::Receiver<()>,
    /// Requests that have a usable snapshot do not wait for it any longer.
    pub(super) patience_ends: tokio::time::Instant,
    /// It has had its time by the clock, if not by the timers, and counts as failed.
    pub(super) is_overdue: Arc<AtomicBool>,
}

impl Reading {
    pub(super) fn is_under_way(&self) -> bool {
        self.ended.has_changed().is_ok()
    }
}

/// What the state says about the gate's module. The other modules are not kept, so that a thousand organisations stay small.
pub(super) struct Snapshot {
    pub(super) version: String,
    /// `None` is a module that is not registered.
    pub(super) module: Option<ModuleState>,
    /// When the read began that found it or found it unchanged.
    pub(super) confirmed: Moment,
}

impl Snapshot {
    pub(super) fn decide(&self, permissions: &Permissions<'_>) -> Verdict {
        match &self.module {
            Some(module) => module.decide(permissions).into(),
            None => Verdict::Closed(ClosedReason::Off(Reason::NotInstalled)),
        }
    }

    pub(super) fn module_type(&self) -> Option<ModuleType> {
        self.module.as_ref().map(|module| module.module_type)
    }
}

impl Memory {
    pub(super) fn new(capacity: usize) -> Self {
        Self { organisations: HashMap::new(), capacity, uses: 0 }
    }

    /// The organisation, if it is known; asking is a use.
    pub(super) fn used(&mut self, org_id: &str) -> Option<&mut Organisation> {
        let organisation = self.organisations.get_mut(org_id)?;
        self.uses += 1;
        organisation.last_use = self.uses;
        Some(organisation)
    }

    /// The organisation, for what a read needs or has found. One that is new takes the place of the least recently used.
    pub(super) fn entry(&mut self, org_id: &str) -> &mut Organisation {
        if !self.organisations.contains_key(org_id) && self.organisations.len() >= self.capacity {
            let oldest = self.organisations.iter().min_by_key(|(_, organisation)| organisation.last_use);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                self.organisations.remove(&oldest);
            }
        }
        let uses = &mut self.uses;
        self.organisations.entry(org_id.to_owned()).or_insert_with(|| {
            *uses += 1;
            Organisation { last_use: *uses, ..Organisation::default() }
        })
    }

    /// All ids, the most recently used first.
    pub(super) fn by_use(&self) -> Vec<String> {
        let mut ids: Vec<(&String, u64)> = self.organisations.iter().map(|(id, found)| (id, found.last_use)).collect();
        ids.sort_by_key(|(_, last_use)| std::cmp::Reverse(*last_use));
        ids.into_iter().map(|(id, _)| id.clone()).collect()
    }
}
