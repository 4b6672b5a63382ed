//! Covering a set of minutes of the week with few disjoint boxes, each of which is one cron expression.

mod classes;
mod merge;
mod minute_box;
mod shape;

use super::grid::WeekGrid;
pub(super) use minute_box::MinuteBox;

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
    if boxes.len() > limits.wanted_boxes {
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

    /// A week of these patterns of minutes, strewn over the hours: about one hour in `rare` has one.
    fn strewn(patterns: &[u64], rare: u64, seed: u64) -> Vec<u64> {
        let mut state = seed;
        let mut next = || {
            // Knuth's generator (MMIX).
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        let mut hour = || {
            let pattern = patterns[(next() % patterns.len() as u64) as usize];
            if next().is_multiple_of(rare) { pattern } else { 0 }
        };
        (0..168).map(|_| hour()).collect()
    }

    /// Hours from `first` to `last` of the days Monday to Friday, with quarter hours, the half hour before and the one after.
    fn office(first: usize, last: usize) -> Vec<u64> {
        const QUARTERS: u64 = 1 | 1 << 15 | 1 << 30 | 1 << 45;
        let hour = |hour: usize| match (hour / 24, hour % 24) {
            (0..5, of_day) if of_day == first => QUARTERS & !0x3fff_ffff,
            (0..5, of_day) if of_day == last => QUARTERS & 0x3fff_ffff,
            (0..5, of_day) if (first..last).contains(&of_day) => QUARTERS,
            _ => 0,
        };
        (0..168).map(hour).collect()
    }

    /// The figures are what the search finds today. Others are not wrong by themselves: fewer boxes or ticks are better. Whoever
    /// changes the search looks at them and writes the new ones down.
    #[test]
    fn the_search_finds_these_covers() {
        let check = |hours: &[u64], limits: Limits, expected: (usize, u32, u64)| {
            let boxes = cover(&grid(hours), limits);
            assert_covers(&boxes, hours);
            // FNV-1a.
            let digest = format!("{boxes:?}")
                .bytes()
                .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
            let found = (boxes.len(), ticks(&boxes), digest >> 44);
            assert_eq!(found, expected, "{limits:?} {hours:?}");
        };
        let limits = |wanted_boxes, budget| Limits { most_boxes: 20, wanted_boxes, budget };
        let few = [1, 1 << 30, 1 | 1 << 30, 0x0084_2108_4210_8421];
        let many: Vec<u64> = (0..40).map(|index| 1_u64 << index | 1 << (59 - index / 2)).collect();
        check(&office(9, 17), LIMITS, (3, 160, 21_010));
        check(&office(9, 17), limits(4, 100), (3, 160, 21_010));
        check(&office(9, 17), limits(1, 1000), (1, 180, 19_670));
        check(&office(9, 17), limits(2, 180), (2, 170, 635_915));
        check(&office(22, 23), limits(4, 1000), (2, 20, 809_940));
        check(&office(0, 23), limits(4, 0), (3, 460, 1_002_832));
        check(&strewn(&few, 2, 1), limits(4, 0), (20, 323, 690_474));
        check(&strewn(&few, 2, 1), limits(7, 4000), (7, 854, 206_853));
        check(&strewn(&few, 6, 1), limits(4, 0), (14, 66, 307_231));
        check(&strewn(&few, 6, 1), limits(7, 4000), (7, 86, 995_037));
        check(&strewn(&few, 20, 1), limits(4, 0), (7, 19, 235_596));
        check(&strewn(&few, 20, 1), limits(7, 4000), (7, 19, 235_596));
        check(&strewn(&few, 2, 2), limits(4, 0), (20, 334, 906_103));
        check(&strewn(&few, 2, 2), limits(7, 4000), (5, 1_132, 180_516));
        check(&strewn(&few, 6, 2), limits(4, 0), (17, 104, 296_294));
        check(&strewn(&few, 6, 2), limits(7, 4000), (7, 196, 1_038_394));
        check(&strewn(&few, 20, 2), limits(4, 0), (4, 16, 939_142));
        check(&strewn(&few, 20, 2), limits(7, 4000), (4, 16, 939_142));
        check(&strewn(&few, 2, 3), limits(4, 0), (20, 349, 236_870));
        check(&strewn(&few, 2, 3), limits(7, 4000), (7, 892, 576_594));
        check(&strewn(&few, 6, 3), limits(4, 0), (16, 103, 643_251));
        check(&strewn(&few, 6, 3), limits(7, 4000), (7, 148, 405_453));
        check(&strewn(&few, 20, 3), limits(4, 0), (5, 27, 1_011_588));
        check(&strewn(&few, 20, 3), limits(7, 4000), (5, 27, 1_011_588));
        check(&strewn(&many, 1, 4), limits(4, 0), (20, 2_945, 123_774));
        check(&strewn(&many, 3, 4), limits(4, 0), (20, 323, 301_308));
        check(&strewn(&many, 9, 4), limits(4, 0), (13, 26, 604_313));
        check(&strewn(&many, 1, 5), limits(4, 0), (20, 3_534, 141_546));
        check(&strewn(&many, 3, 5), limits(4, 0), (20, 322, 655_013));
        check(&strewn(&many, 9, 5), limits(4, 0), (20, 46, 76_585));
        check(&strewn(&many, 1, 6), limits(4, 0), (20, 3_217, 202_666));
        check(&strewn(&many, 3, 6), limits(4, 0), (20, 309, 53_819));
        check(&strewn(&many, 9, 6), limits(4, 0), (11, 24, 207_503));
        check(&strewn(&many, 4, 7), Limits { most_boxes: 9, wanted_boxes: 4, budget: 6000 }, (4, 1_053, 637_246));
        check(&strewn(&many, 12, 8), Limits { most_boxes: 9, wanted_boxes: 4, budget: 6000 }, (4, 206, 547_631));
        check(&strewn(&few, 12, 9), Limits { most_boxes: 12, wanted_boxes: 3, budget: 3000 }, (3, 196, 272_534));
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
