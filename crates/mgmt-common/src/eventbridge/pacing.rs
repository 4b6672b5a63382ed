//! How fast and how often the API is called.

use std::time::Duration;

/// How hard the manager may press on an API that is shared with everybody in the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pacing {
    /// AWS throttles rule writes per account and Region, so they are spread.
    pub writes_per_second: u32,
    /// Attempts per call, the first one included.
    pub attempts: u32,
    /// Retries in one reconcile, over all its calls: an AWS in trouble is left alone soon.
    pub retry_budget: u32,
    /// The longest first wait before a retry; it doubles each time, and the real wait is a random part of it.
    pub initial_backoff: Duration,
    pub max_backoff: Duration,
    /// How often the bus is read after the writes until it shows them; reads are eventually consistent.
    pub confirmations: u32,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            writes_per_second: 5,
            attempts: 4,
            retry_budget: 12,
            initial_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(3),
            confirmations: 3,
        }
    }
}
