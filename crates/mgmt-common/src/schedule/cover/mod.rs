//! Covering a set of minutes of the week with few disjoint boxes, each of which is one cron expression.

mod classes;
mod merge;
mod shape;

use super::grid::WeekGrid;

/// Every minute of `minutes` in every hour of `hours` on every day of `days`: what one weekly cron expression fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MinuteBox {
    /// Bit 0 is Monday.
    pub(super) days: u8,
    /// Bit 0 is 00:00-00:59.
    pub(super) hours: u32,
    /// Bit 0 is the full hour.
    pub(super) minutes: u64,
}

impl MinuteBox {
    pub(super) fn ticks(self) -> u32 {
        self.minutes.count_ones() * self.hours.count_ones() * self.days.count_ones()
    }

    fn intersects(self, other: Self) -> bool {
        self.minutes & other.minutes != 0 && self.hours & other.hours != 0 && self.days & other.days != 0
    }

    /// The smallest box that holds both.
    fn around(self, other: Self) -> Self {
        Self { days: self.days | other.days, hours: self.hours | other.hours, minutes: self.minutes | other.minutes }
    }
}

/// How far a cover may go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Never more boxes than this, whatever it costs in extra minutes. At least 7, which is always reachable.
    pub(super) most_boxes: usize,
    /// A count worth some extra minutes,
    pub(super) wanted_boxes: usize,
    /// as long as the whole cover stays within so many minutes.
    pub(super) budget: u32,
}

/// Disjoint boxes that hold every minute of the grid, in a deterministic order.
///
/// The exact cover is the start. Above `most_boxes` there are two ways down, and the one with fewer extra minutes wins:
/// unite minute patterns wherever they occur, or draw boxes around single pairs of boxes (after uniting patterns until
/// there are few enough pairs to look at). Then, if that stays within the budget, pairs are united down to
/// `wanted_boxes`.
pub(super) fn cover(grid: &WeekGrid, limits: Limits) -> Vec<MinuteBox> {
    let exact = classes::Classes::of(grid);
    let mut boxes = exact.boxes();
    if boxes.len() > limits.most_boxes {
        let fewer = exact.unite_down_to(merge::MOST_BOXES);
        let by_pair = merge::unite_down_to(fewer.boxes(), limits.most_boxes);
        let by_pattern = fewer.unite_down_to(limits.most_boxes).boxes();
        boxes = if ticks(&by_pair) < ticks(&by_pattern) { by_pair } else { by_pattern };
    }
    if boxes.len() > limits.wanted_boxes && boxes.len() <= limits.most_boxes {
        let fewer = merge::unite_down_to(boxes.clone(), limits.wanted_boxes);
        if ticks(&fewer) <= limits.budget {
            boxes = fewer;
        }
    }
    boxes.sort_unstable();
    boxes
}

/// How many minutes of the week the boxes hold.
pub(super) fn ticks(boxes: &[MinuteBox]) -> u32 {
    boxes.iter().map(|one| one.ticks()).sum()
}
