//! How many pings a function, and a whole run, may have under way at once.
//!
//! A fan-out that takes all of a function's reserved concurrency, or of what the account has left for everybody, throttles
//! the live site. Both limits change rarely: they are asked for once in ten minutes, and only by ticks that ping.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use mgmt_common::functions::Functions;

const FRESH: Duration = Duration::from_secs(600);

#[derive(Debug, Default)]
pub(crate) struct Capacity {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    reserved: BTreeMap<String, (Option<u32>, Instant)>,
    unreserved: Option<(u32, Instant)>,
}

/// What the limits leave of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowed {
    pub(crate) pings: u32,
    pub(crate) cut_by: Option<Limit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Reserved(u32),
    Unreserved(u32),
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Reserved(limit) => write!(f, "its reserved concurrency is {limit}, and pings stay below that"),
            Self::Unreserved(limit) => {
                write!(f, "the account has {limit} unreserved instances, and pings take at most half of them")
            }
        }
    }
}

impl Capacity {
    /// The function's reserved concurrency. `None`: it has none, or Lambda does not say.
    pub(crate) async fn reserved(&self, functions: &Functions, name: &str) -> Option<u32> {
        let cached = self.locked(|known| known.reserved.get(name).copied());
        if let Some((limit, at)) = cached
            && at.elapsed() < FRESH
        {
            return limit;
        }
        match functions.reserved_concurrency(name).await {
            Ok(limit) => {
                let limit = limit.map(|limit| u32::try_from(limit).unwrap_or(0));
                self.locked(|known| known.reserved.insert(name.to_owned(), (limit, Instant::now())));
                limit
            }
            Err(error) => {
                tracing::warn!(function = name, %error, "the reserved concurrency is not known");
                cached.and_then(|(limit, _)| limit)
            }
        }
    }

    /// What the account has left for functions without a reservation. `None`: Lambda does not say.
    pub(crate) async fn unreserved(&self, functions: &Functions) -> Option<u32> {
        let cached = self.locked(|known| known.unreserved);
        if let Some((limit, at)) = cached
            && at.elapsed() < FRESH
        {
            return Some(limit);
        }
        match functions.account_concurrency().await {
            Ok(account) => {
                let limit = u32::try_from(account.unreserved).unwrap_or(0);
                self.locked(|known| known.unreserved = Some((limit, Instant::now())));
                Some(limit)
            }
            Err(error) => {
                tracing::warn!(%error, "the account's concurrency is not known");
                cached.map(|(limit, _)| limit)
            }
        }
    }

    fn locked<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        work(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How many of the wanted pings of one function may start together. Stays below a reservation; without one, pings take at
/// most half of what the account has left.
pub(crate) fn allow(wanted: u32, reserved: Option<u32>, unreserved: Option<u32>) -> Allowed {
    let (pings, limit) = match (reserved, unreserved) {
        (Some(reserved), _) => (reserved.saturating_sub(1), Limit::Reserved(reserved)),
        (None, Some(unreserved)) => (unreserved / 2, Limit::Unreserved(unreserved)),
        (None, None) => return Allowed { pings: wanted, cut_by: None },
    };
    if wanted <= pings { Allowed { pings: wanted, cut_by: None } } else { Allowed { pings, cut_by: Some(limit) } }
}

/// How many pings of functions without a reservation may be under way at once over all functions.
pub(crate) fn share(max_in_flight: u32, unreserved: Option<u32>) -> u32 {
    unreserved.map_or(max_in_flight, |unreserved| max_in_flight.min(unreserved / 2)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_leave_room_for_the_live_site() {
        let check = |wanted, reserved, unreserved, expected, cut_by| {
            assert_eq!(allow(wanted, reserved, unreserved), Allowed { pings: expected, cut_by });
        };
        check(10, None, None, 10, None);
        check(10, None, Some(1000), 10, None);
        check(10, None, Some(10), 5, Some(Limit::Unreserved(10)));
        check(10, Some(10), Some(1000), 9, Some(Limit::Reserved(10)));
        check(9, Some(10), Some(2), 9, None);
        check(1, Some(1), None, 0, Some(Limit::Reserved(1)));
        check(1, Some(0), None, 0, Some(Limit::Reserved(0)));
    }
}
