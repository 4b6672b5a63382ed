//! What a sandbox remembers between ticks, for when the database is down.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::proof::{PendingChanges, TargetChange};
use crate::store::ScheduleSnapshot;

#[derive(Debug, Default)]
pub(crate) struct Memory {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last_good: Option<ScheduleSnapshot>,
    last_tick: Option<Timestamp>,
    unsaved: PendingChanges,
}

impl Memory {
    pub(crate) fn keep(&self, stored: &ScheduleSnapshot) {
        self.locked(|inner| inner.last_good = Some(stored.clone()));
    }

    /// The last schedule seen, with everything that pings have taught since.
    pub(crate) fn last_good(&self) -> Option<ScheduleSnapshot> {
        self.locked(|inner| {
            let mut stored = inner.last_good.clone()?;
            for (key, change) in &inner.unsaved {
                match &change.after {
                    Some(known) => stored.known.insert(key.clone(), known.clone()),
                    None => stored.known.remove(key),
                };
            }
            Some(stored)
        })
    }

    /// Keeps what pings have taught until [`Self::saved`] says that the database has it.
    pub(crate) fn remember(&self, changes: PendingChanges) {
        self.locked(|inner| {
            for (key, change) in changes {
                // The database still holds what the first unsaved change started from.
                let before = inner.unsaved.remove(&key).map_or(change.before, |earlier| earlier.before);
                inner.unsaved.insert(key, TargetChange { before, after: change.after });
            }
        });
    }

    pub(crate) fn unsaved(&self) -> PendingChanges {
        self.locked(|inner| inner.unsaved.clone())
    }

    /// Forgets what was written, but not what has been learned meanwhile. The last schedule takes it over.
    pub(crate) fn saved(&self, changes: &PendingChanges) {
        self.locked(|inner| {
            for (key, change) in changes {
                if inner.unsaved.get(key) == Some(change) {
                    inner.unsaved.remove(key);
                }
                if let Some(stored) = &mut inner.last_good {
                    match &change.after {
                        Some(known) => stored.known.insert(key.clone(), known.clone()),
                        None => stored.known.remove(key),
                    };
                }
            }
        });
    }

    /// Claims a tick in this sandbox, where the database cannot. False: it ran here already.
    pub(crate) fn claim(&self, tick: Timestamp) -> bool {
        self.locked(|inner| {
            let is_new = inner.last_tick.is_none_or(|last| last < tick);
            if is_new {
                inner.last_tick = Some(tick);
            }
            is_new
        })
    }

    fn locked<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
