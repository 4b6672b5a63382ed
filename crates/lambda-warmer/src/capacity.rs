//! How many pings a function, and a whole run, may have under way at once. Pure.
//!
//! A fan-out that takes all of a function's reserved concurrency, or of what the account has left for everybody, throttles
//! the live site.

/// A concurrency limit as far as Lambda tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cap {
    /// There is none.
    Free,
    Of(u32),
    /// This deployment may not ask: whoever left the permission out has left the cap out.
    NotTold,
    /// Asking failed. It may be a small one, so pings stay few until it is known.
    NotKnown,
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
    NotKnown,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Reserved(limit) => write!(f, "its reserved concurrency is {limit}, and pings stay below that"),
            Self::Unreserved(limit) => {
                write!(f, "the account has {limit} unreserved instances, and pings take at most half of them")
            }
            Self::NotKnown => f.write_str("Lambda could not be asked for the concurrency limits"),
        }
    }
}

/// How many pings of one function may be under way at once over all its entries; `None`: no limit of its own.
pub(crate) fn budget(reserved: Cap) -> Option<u32> {
    match reserved {
        Cap::Of(reserved) => Some(reserved.saturating_sub(1)),
        Cap::NotKnown => Some(1),
        Cap::Free | Cap::NotTold => None,
    }
}

/// How many of the wanted pings of one entry may start together. Stays below a reservation; without one, pings take at most half
/// of what the account has left.
pub(crate) fn allow(wanted: u32, reserved: Cap, unreserved: Cap) -> Allowed {
    let (pings, limit) = match (reserved, unreserved) {
        (Cap::Of(reserved), _) => (reserved.saturating_sub(1), Limit::Reserved(reserved)),
        (Cap::NotKnown, _) | (_, Cap::NotKnown) => (1, Limit::NotKnown),
        (_, Cap::Of(unreserved)) => (unreserved / 2, Limit::Unreserved(unreserved)),
        (_, Cap::Free | Cap::NotTold) => return Allowed { pings: wanted, cut_by: None },
    };
    if wanted <= pings { Allowed { pings: wanted, cut_by: None } } else { Allowed { pings, cut_by: Some(limit) } }
}

/// How many pings of functions without a reservation may be under way at once over all functions.
pub(crate) fn share(max_in_flight: u32, unreserved: Cap) -> u32 {
    let share = match unreserved {
        Cap::Of(unreserved) => max_in_flight.min(unreserved / 2),
        Cap::Free | Cap::NotTold | Cap::NotKnown => max_in_flight,
    };
    share.max(1)
}

#[cfg(test)]
mod tests {
    use super::Cap::{Free, NotKnown, NotTold, Of};
    use super::*;

    #[test]
    fn pings_leave_room_for_the_live_site() {
        let check = |wanted, reserved, unreserved, expected, cut_by| {
            assert_eq!(allow(wanted, reserved, unreserved), Allowed { pings: expected, cut_by });
        };
        check(10, Free, Free, 10, None);
        check(10, NotTold, NotTold, 10, None);
        check(10, Free, Of(1000), 10, None);
        check(10, Free, Of(10), 5, Some(Limit::Unreserved(10)));
        check(10, NotTold, Of(10), 5, Some(Limit::Unreserved(10)));
        check(10, Of(10), Of(1000), 9, Some(Limit::Reserved(10)));
        check(9, Of(10), Of(2), 9, None);
        check(1, Of(1), Free, 0, Some(Limit::Reserved(1)));
        check(1, Of(0), Free, 0, Some(Limit::Reserved(0)));
        check(10, NotKnown, Of(1000), 1, Some(Limit::NotKnown));
        check(10, Free, NotKnown, 1, Some(Limit::NotKnown));
        check(10, Of(10), NotKnown, 9, Some(Limit::Reserved(10)));
        check(1, NotKnown, NotKnown, 1, None);
    }
}
