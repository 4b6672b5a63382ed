//! What a sandbox remembers between ticks, for when the database is down.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::store::Stored;

#[derive(Debug, Default)]
pub(crate) struct Memory {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last_good: Option<Stored>,
    last_tick: Option<Timestamp>,
}

impl Memory {
    pub(crate) fn keep(&self, stored: &Stored) {
        self.locked(|inner| inner.last_good = Some(stored.clone()));
    }

    pub(crate) fn last_good(&self) -> Option<Stored> {
        self.locked(|inner| inner.last_good.clone())
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
