//! The minutes of one week as a set.

/// Minutes in a week; minute 0 is Monday 00:00.
pub const MINUTES_PER_WEEK: u16 = 7 * 24 * 60;

/// Hours in a week; hour 0 is Monday 00:00.
pub const HOURS_PER_WEEK: usize = 7 * 24;

const HOUR_MASK: u64 = (1 << 60) - 1;

/// A set of minutes of the week, one word of 60 bits per hour: bit `m` of hour `h` is minute `60 * h + m`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WeekGrid([u64; HOURS_PER_WEEK]);

impl Default for WeekGrid {
    fn default() -> Self {
        Self([0; HOURS_PER_WEEK])
    }
}

impl WeekGrid {
    /// Adds a minute; a minute at or beyond the end of the week wraps around.
    pub fn insert(&mut self, minute: u32) {
        let minute = minute as usize % usize::from(MINUTES_PER_WEEK);
        self.0[minute / 60] |= 1 << (minute % 60);
    }

    /// Whether the minute (0 to 10,079; beyond that it wraps) is in the set.
    pub fn contains(&self, minute: u16) -> bool {
        let minute = usize::from(minute % MINUTES_PER_WEEK);
        self.0[minute / 60] >> (minute % 60) & 1 == 1
    }

    /// How many minutes are in the set.
    pub fn count(&self) -> u32 {
        self.0.iter().map(|hour| hour.count_ones()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|hour| *hour == 0)
    }

    /// The minutes of one hour of the week (0 to 167) as 60 bits.
    pub fn hour(&self, hour: usize) -> u64 {
        self.0[hour]
    }

    /// How many minutes to wait from `minute` to the next one in the set, 0 if it is in it; `None` for an empty set.
    pub fn wait_from(&self, minute: u16) -> Option<u16> {
        let start = usize::from(minute % MINUTES_PER_WEEK);
        let rest_of_hour = self.0[start / 60] >> (start % 60);
        if rest_of_hour != 0 {
            return Some(rest_of_hour.trailing_zeros() as u16);
        }
        // The last step looks at the first hour again, at its beginning this time.
        (1..=HOURS_PER_WEEK).find_map(|ahead| {
            let hour = self.0[(start / 60 + ahead) % HOURS_PER_WEEK];
            (hour != 0).then(|| (ahead * 60 - start % 60) as u16 + hour.trailing_zeros() as u16)
        })
    }

    /// Adds every minute of `local`, moved to UTC for a zone that is `offset_minutes` ahead of UTC.
    ///
    /// The week is a circle: what moves before Monday 00:00 appears at the end of Sunday.
    pub fn add_shifted_to_utc(&mut self, local: &Self, offset_minutes: i32) {
        let offset = offset_minutes.rem_euclid(i32::from(MINUTES_PER_WEEK)).unsigned_abs() as usize;
        let (hours, minutes) = (offset / 60, offset % 60);
        for (hour, target) in self.0.iter_mut().enumerate() {
            let here = local.0[(hour + hours) % HOURS_PER_WEEK];
            let next = local.0[(hour + hours + 1) % HOURS_PER_WEEK];
            *target |= (here >> minutes | next << (60 - minutes)) & HOUR_MASK;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grid(minutes: &[u16]) -> WeekGrid {
        let mut grid = WeekGrid::default();
        minutes.iter().for_each(|minute| grid.insert(u32::from(*minute)));
        grid
    }

    #[test]
    fn an_empty_set_never_comes() {
        assert_eq!(WeekGrid::default().wait_from(5), None);
        assert!(WeekGrid::default().is_empty());
    }

    proptest! {
        #[test]
        fn waiting_and_shifting_equal_their_definitions(
            minutes in prop::collection::btree_set(0..MINUTES_PER_WEEK, 1..20),
            from in 0..MINUTES_PER_WEEK,
            offset in -20_000_i32..20_000,
        ) {
            let minutes: Vec<u16> = minutes.into_iter().collect();
            let local = grid(&minutes);
            prop_assert_eq!(local.count() as usize, minutes.len());
            let naive = (0..MINUTES_PER_WEEK).find(|wait| minutes.contains(&((from + wait) % MINUTES_PER_WEEK)));
            prop_assert_eq!(local.wait_from(from), naive);

            let mut utc = WeekGrid::default();
            utc.add_shifted_to_utc(&local, offset);
            let shifted: Vec<u16> = minutes
                .iter()
                .map(|minute| (i32::from(*minute) - offset).rem_euclid(i32::from(MINUTES_PER_WEEK)) as u16)
                .collect();
            prop_assert_eq!(utc, grid(&shifted));
        }
    }
}
