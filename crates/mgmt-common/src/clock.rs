//! The time by the clock that a function was given.

use jiff::Timestamp;
use module_mgmt_protocol::clock::Clock;

/// Now. A clock outside the years -9999 to 9999 is as wrong as one at their end.
pub fn now(clock: &dyn Clock) -> Timestamp {
    Timestamp::try_from(clock.now().wall).unwrap_or(Timestamp::MAX)
}
