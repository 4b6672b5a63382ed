//! Walking the due minutes of a local week along real time.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::grid::{MINUTES_PER_WEEK, WeekGrid};

/// Minute 0 of the Unix epoch was a Thursday, three days into the week.
const EPOCH_MINUTE_OF_WEEK: i64 = 3 * 24 * 60;

/// The due minutes at or after an instant, as instants at second 0.
///
/// Between two transitions of the zone the offset is constant, so the walk asks the zone once per stretch and jumps from
/// one due minute to the next within it. A transition needs no special case: a stretch that begins later on the wall clock
/// skips minutes, one that begins earlier repeats them.
#[derive(Debug, Clone)]
pub struct DueMinutes<'a> {
    zone: &'a TimeZone,
    /// `None` if nothing is ever due.
    grid: Option<&'a WeekGrid>,
    /// Minutes since the epoch; everything before it is done.
    at: i64,
    /// The first minute with another offset.
    stretch_end: i64,
    offset_minutes: i64,
}

impl<'a> DueMinutes<'a> {
    pub(super) fn new(zone: &'a TimeZone, grid: Option<&'a WeekGrid>, from: Timestamp) -> Self {
        let grid = grid.filter(|grid| !grid.is_empty());
        // Rounds up: a minute that has begun is not "at or after".
        let at = ceiling_minute(floor_second(from) + i64::from(from.subsec_nanosecond() != 0));
        Self { zone, grid, at, stretch_end: i64::MIN, offset_minutes: 0 }
    }

    /// Learns the offset at `self.at` and how long it lasts; `None` at the end of the calendar.
    fn enter_stretch(&mut self) -> Option<()> {
        let start = instant(self.at)?;
        // Offsets with seconds end with local mean time, long before 1980. There the wall minute is the one that holds
        // the instant, hence the rounding down.
        self.offset_minutes = offset_minutes(self.zone, start);
        self.stretch_end = self
            .zone
            .following(start)
            .next()
            .map_or(i64::MAX, |transition| ceiling_minute(floor_second(transition.timestamp())));
        Some(())
    }
}

impl Iterator for DueMinutes<'_> {
    type Item = Timestamp;

    fn next(&mut self) -> Option<Timestamp> {
        let grid = self.grid?;
        loop {
            if self.at >= self.stretch_end {
                self.enter_stretch()?;
            }
            let local = minute_of_week(self.at + self.offset_minutes);
            let due = self.at + i64::from(grid.wait_from(local)?);
            if due < self.stretch_end {
                self.at = due + 1;
                return instant(due);
            }
            self.at = self.stretch_end;
        }
    }
}

/// Whether the UTC minute that holds the instant is in the local week's grid.
pub(super) fn is_due(zone: &TimeZone, grid: &WeekGrid, instant: Timestamp) -> bool {
    let minute = floor_second(instant).div_euclid(60);
    grid.contains(minute_of_week(minute + offset_minutes(zone, instant)))
}

/// How far the zone is ahead of UTC at the instant, in whole minutes.
pub(super) fn offset_minutes(zone: &TimeZone, instant: Timestamp) -> i64 {
    i64::from(zone.to_offset(instant).seconds().div_euclid(60))
}

/// The minute of the week (Monday 00:00 = 0) of a minute since the epoch, on the clock that it is counted on.
pub(super) fn minute_of_week(minute: i64) -> u16 {
    (minute + EPOCH_MINUTE_OF_WEEK).rem_euclid(i64::from(MINUTES_PER_WEEK)) as u16
}

/// Seconds since the epoch, rounded down; jiff's own accessor rounds towards the epoch.
pub(super) fn floor_second(instant: Timestamp) -> i64 {
    instant.as_second() - i64::from(instant.subsec_nanosecond() < 0)
}

/// The first minute since the epoch that begins at or after this second since the epoch.
fn ceiling_minute(second: i64) -> i64 {
    -(-second).div_euclid(60)
}

fn instant(minute: i64) -> Option<Timestamp> {
    Timestamp::from_second(minute.checked_mul(60)?).ok()
}
