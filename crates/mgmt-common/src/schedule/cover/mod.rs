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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { most_boxes: 20, wanted_boxes: 4, budget: 0 };

    /// The grid with these patterns of minutes in the hours of the week.
    fn grid(hours: &[u64]) -> WeekGrid {
        let mut grid = WeekGrid::default();
        for (hour, minutes) in (0..).zip(hours) {
            (0..60).filter(|minute| minutes >> minute & 1 == 1).for_each(|minute| grid.insert(hour * 60 + minute));
        }
        grid
    }

    fn assert_covers(boxes: &[MinuteBox], hours: &[u64]) {
        for (index, one) in boxes.iter().enumerate() {
            assert!(one.ticks() > 0, "an empty box: {one:?}");
            assert!(boxes[..index].iter().all(|other| !one.intersects(*other)), "{boxes:?}");
        }
        for (hour, minutes) in hours.iter().enumerate() {
            let here = |one: &&MinuteBox| one.days >> (hour / 24) & 1 == 1 && one.hours >> (hour % 24) & 1 == 1;
            let held = boxes.iter().filter(here).fold(0, |held, one| held | one.minutes);
            assert_eq!(minutes & !held, 0, "hour {hour} of the week");
        }
    }

    #[test]
    fn an_empty_grid_needs_no_box() {
        assert_eq!(cover(&WeekGrid::default(), LIMITS), []);
    }

    #[test]
    fn a_local_day_that_begins_on_the_evening_before_needs_two_boxes() {
        // 23:00 to 07:00 UTC, Sunday to Thursday evening: a working day far in the east.
        let hours: Vec<u64> = (0..168)
            .map(|hour| u64::from(matches!((hour / 24, hour % 24), (0..=4, 0..=6) | (0..=3 | 6, 23))))
            .collect();
        assert_eq!(cover(&grid(&hours), LIMITS).len(), 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn boxes_are_few_disjoint_and_hold_every_minute(
            hours in prop::collection::vec(prop_oneof![Just(0), 1..1_u64 << 60, Just(0x0084_2108_4210_8421)], 168),
            wanted in 1..20_usize,
            budget in 0..20_000_u32,
        ) {
            let boxes = cover(&grid(&hours), Limits { most_boxes: 20, wanted_boxes: wanted, budget });
            prop_assert!(boxes.len() <= 20);
            assert_covers(&boxes, &hours);
        }
    }
}
