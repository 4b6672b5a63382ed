//! How old, how patient and how large a gate may be.

use std::time::Duration;

use crate::back_off::{FIRST_PAUSE, PATIENCE};

/// No setting makes a gate follow the registry later than this.
const LONGEST_AGE: Duration = Duration::from_secs(30);

/// The limits of one gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateLimits {
    /// From this age on a snapshot is revalidated before it answers; 30 seconds at most.
    pub max_age: Duration,
    /// Up to this age the last snapshot answers while the state cannot be read.
    pub max_stale: Duration,
    /// One read in all, from looking up the host to the last byte. A request without a usable snapshot waits for all of it.
    pub timeout: Duration,
    /// So long a request that has a usable snapshot waits for a newer one; then the read goes on without it.
    pub patience: Duration,
    /// After a failed read the next one of the same organisation waits at least this long, and twice as long after each further
    /// failure, up to 30 seconds. Requests without a usable snapshot and pings do not accept more than the first pause.
    pub retry_after: Duration,
    /// So many organisations are remembered; the one that was not asked about for the longest time leaves.
    pub organisations: usize,
}

impl Default for GateLimits {
    fn default() -> Self {
        Self {
            max_age: LONGEST_AGE,
            max_stale: Duration::from_secs(300),
            timeout: Duration::from_secs(2),
            patience: PATIENCE,
            retry_after: FIRST_PAUSE,
            organisations: 1_000,
        }
    }
}

impl GateLimits {
    pub(super) fn within_promises(self) -> Self {
        Self { max_age: self.max_age.min(LONGEST_AGE), ..self }
    }
}
