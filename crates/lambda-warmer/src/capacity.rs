//! How many pings a function, and a whole run, may have under way at once. Pure.
//!
//! A fan-out that takes all of a function's reserved concurrency, or of what the account has left for everybody, throttles
//! the live site.

/// A concurrency limit as far as Lambda tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// There is none.
    Free,
    Of(u32),
    /// This deployment may not ask: whoever left the permission out has left the limit out.
    AccessDenied,
    /// Asking failed. It may be a small one, so pings stay few until it is known.
    Unknown,
}

/// What the limits leave of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowed {
    pub(crate) pings: u32,
    pub(crate) cut_by: Option<CutBy>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CutBy {
    Reserved(u32),
    Unreserved(u32),
    Unknown,
}

impl std::fmt::Display for CutBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Reserved(limit) => write!(f, "its reserved concurrency is {limit}, and pings stay below that"),
            Self::Unreserved(limit) => {
                write!(f, "the account has {limit} unreserved instances, and pings take at most half of them")
            }
            Self::Unknown => f.write_str("Lambda could not be asked for the concurrency limits"),
        }
    }
}

/// How many pings of one function may be under way at once over all its entries; `None`: no limit of its own.
pub(crate) fn budget(reserved: Limit) -> Option<u32> {
    match reserved {
        Limit::Of(reserved) => Some(reserved.saturating_sub(1)),
        Limit::Unknown => Some(1),
        Limit::Free | Limit::AccessDenied => None,
    }
}

/// How many of the wanted pings of one entry may start together. Stays below a reservation; without one, pings take at most half
/// of what the account has left.
pub(crate) fn allow(wanted: u32, reserved: Limit, unreserved: Limit) -> Allowed {
    let (pings, limit) = match (reserved, unreserved) {
        (Limit::Of(reserved), _) => (reserved.saturating_sub(1), CutBy::Reserved(reserved)),
        (Limit::Unknown, _) | (_, Limit::Unknown) => (1, CutBy::Unknown),
        (_, Limit::Of(unreserved)) => (unreserved / 2, CutBy::Unreserved(unreserved)),
        (_, Limit::Free | Limit::AccessDenied) => return Allowed { pings: wanted, cut_by: None },
    };
    if wanted <= pings { Allowed { pings: wanted, cut_by: None } } else { Allowed { pings, cut_by: Some(limit) } }
}

/// How many pings of functions without a reservation may be under way at once over all functions.
pub(crate) fn share(max_in_flight: u32, unreserved: Limit) -> u32 {
    let share = match unreserved {
        Limit::Of(unreserved) => max_in_flight.min(unreserved / 2),
        Limit::Free | Limit::AccessDenied | Limit::Unknown => max_in_flight,
    };
    share.max(1)
}

#[cfg(test)]
mod tests {
    use super::Limit::{AccessDenied, Free, Of, Unknown};
    use super::*;

    #[test]
    fn pings_leave_room_for_the_live_site() {
        let check = |wanted, reserved, unreserved, expected, cut_by| {
            assert_eq!(allow(wanted, reserved, unreserved), Allowed { pings: expected, cut_by });
        };
        check(10, Free, Free, 10, None);
        check(10, AccessDenied, AccessDenied, 10, None);
        check(10, Free, Of(1000), 10, None);
        check(10, Free, Of(10), 5, Some(CutBy::Unreserved(10)));
        check(10, AccessDenied, Of(10), 5, Some(CutBy::Unreserved(10)));
        check(10, Of(10), Of(1000), 9, Some(CutBy::Reserved(10)));
        check(9, Of(10), Of(2), 9, None);
        check(1, Of(1), Free, 0, Some(CutBy::Reserved(1)));
        check(1, Of(0), Free, 0, Some(CutBy::Reserved(0)));
        check(10, Unknown, Of(1000), 1, Some(CutBy::Unknown));
        check(10, Free, Unknown, 1, Some(CutBy::Unknown));
        check(10, Of(10), Unknown, 9, Some(CutBy::Reserved(10)));
        check(1, Unknown, Unknown, 1, None);
    }
}
