//! How many pings are under way at once: of one function, of all that share the account's unreserved concurrency, of all.

use std::collections::BTreeMap;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::capacity::{Limit, budget, share};

pub(crate) struct Permits {
    /// By bare function name: entries with other qualifiers draw on the same reservation.
    of_functions: BTreeMap<String, Pool>,
    unreserved: Pool,
    all: Pool,
}

struct Pool {
    size: u32,
    free: Semaphore,
}

impl Pool {
    fn of(size: u32) -> Self {
        Self { size, free: Semaphore::new(size as usize) }
    }
}

impl Permits {
    /// `reserved`: bare function names and their limits, which may come more than once.
    pub(crate) fn new<'a>(
        max_in_flight: u32,
        unreserved: Limit,
        reserved: impl IntoIterator<Item = (&'a str, Limit)>,
    ) -> Self {
        let mut sizes: BTreeMap<String, u32> = BTreeMap::new();
        for (name, limit) in reserved {
            if let Some(size) = budget(limit) {
                sizes.entry(name.to_owned()).and_modify(|known| *known = size.min(*known)).or_insert(size);
            }
        }
        Self {
            of_functions: sizes.into_iter().map(|(name, size)| (name, Pool::of(size))).collect(),
            unreserved: Pool::of(share(max_in_flight, unreserved)),
            all: Pool::of(max_in_flight),
        }
    }

    /// The most pings of this function that ever start together.
    pub(crate) fn most(&self, name: &str, reserved: Limit) -> u32 {
        self.pools(name, reserved).map(|pool| pool.size).min().unwrap_or(0)
    }

    /// Waits until this many pings may start; never more than [`Self::most`]. Those that wait are served in the order in which
    /// they came. The pools are always taken in the same order, so nobody waits for one who waits for him.
    pub(crate) async fn take(&self, name: &str, reserved: Limit, pings: u32) -> Vec<SemaphorePermit<'_>> {
        let mut taken = Vec::with_capacity(3);
        for pool in self.pools(name, reserved) {
            // No pool is ever closed.
            taken.extend(pool.free.acquire_many(pings).await);
        }
        taken
    }

    fn pools(&self, name: &str, reserved: Limit) -> impl Iterator<Item = &Pool> {
        let own = self.of_functions.get(name);
        let shared = (!matches!(reserved, Limit::Of(_))).then_some(&self.unreserved);
        own.into_iter().chain(shared).chain([&self.all])
    }
}
