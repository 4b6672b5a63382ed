//! The unit of a cover: the minutes of one weekly cron expression.

/// Every minute of `minutes` in every hour of `hours` on every day of `days`: what one weekly cron expression fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::schedule) struct MinuteBox {
    /// Bit 0 is Monday.
    pub(in crate::schedule) days: u8,
    /// Bit 0 is 00:00-00:59.
    pub(in crate::schedule) hours: u32,
    /// Bit 0 is the full hour.
    pub(in crate::schedule) minutes: u64,
}

impl MinuteBox {
    pub(in crate::schedule) fn ticks(self) -> u32 {
        self.minutes.count_ones() * self.hours.count_ones() * self.days.count_ones()
    }

    pub(super) fn intersects(self, other: Self) -> bool {
        self.minutes & other.minutes != 0 && self.hours & other.hours != 0 && self.days & other.days != 0
    }

    /// The smallest box that holds both.
    pub(super) fn around(self, other: Self) -> Self {
        Self { days: self.days | other.days, hours: self.hours | other.hours, minutes: self.minutes | other.minutes }
    }
}
