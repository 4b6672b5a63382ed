//! Which times are counted: from some days ago to a day ahead.

use jiff::{SignedDuration, Timestamp};
use module_mgmt_protocol::usage::reject_reason::RejectReason;

/// Clocks of senders may be ahead; by more than a day they are wrong.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// How old an event may be, in days, unless a setting says otherwise.
pub const DEFAULT_MAX_AGE_DAYS: u16 = 35;

/// Whether a time is counted now. Both ends count.
///
/// # Errors
/// On which side it lies outside.
pub fn check(time: Timestamp, now: Timestamp, max_age_days: u16) -> Result<(), RejectReason> {
    let age = now.duration_since(time);
    if age < -AHEAD {
        Err(RejectReason::InFuture)
    } else if age > SignedDuration::from_hours(24 * i64::from(max_age_days)) {
        Err(RejectReason::TooOld)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_the_window_count() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        for (time, expected) in [
            ("2026-11-24T12:00:00Z", Ok(())),
            ("2026-11-24T12:00:00.001Z", Err(RejectReason::InFuture)),
            ("9999-12-30T00:00:00Z", Err(RejectReason::InFuture)),
            ("2026-10-19T12:00:00Z", Ok(())),
            ("2026-10-19T11:59:59.999Z", Err(RejectReason::TooOld)),
            ("2021-11-23T12:00:00Z", Err(RejectReason::TooOld)),
            ("-009999-01-02T01:59:59Z", Err(RejectReason::TooOld)),
        ] {
            assert_eq!(check(time.parse().unwrap(), now, DEFAULT_MAX_AGE_DAYS), expected, "{time}");
        }
    }
}
