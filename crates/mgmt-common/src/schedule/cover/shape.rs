//! Splitting a set of hours of the week into few (hours x days) rectangles.

/// The hours (bits 0 to 23) of each day, Monday first.
pub(super) type Shape = [u32; 7];

const ALL_HOURS: u32 = (1 << 24) - 1;

/// Disjoint rectangles (hours, days) that hold exactly the shape: the fewest of a few ways to split it.
///
/// One way is to group hours that run on the same days. The others cut every day at an hour and group, before and after
/// the cut, days that run the same hours. The cut is what a plain grouping of days lacks: in Adelaide a local Monday
/// begins on Sunday in UTC, and only a day cut there falls into two pieces that repeat from day to day.
pub(super) fn rectangles(shape: &Shape, cuts: &[u32]) -> Vec<(u32, u8)> {
    let best_cut = cuts.iter().map(|cut| (count_by_days(shape, *cut), *cut)).min();
    match best_cut {
        Some((count, cut)) if count <= count_by_hours(shape) => by_days(shape, cut),
        _ => by_hours(shape),
    }
}

/// How many [`rectangles`] there would be.
pub(super) fn count(shape: &Shape, cuts: &[u32]) -> usize {
    cuts.iter().map(|cut| count_by_days(shape, *cut)).fold(count_by_hours(shape), usize::min)
}

/// How many rectangles the grouping of days needs with this cut (0 to 23; 0 is no cut).
pub(super) fn count_by_days(shape: &Shape, cut: u32) -> usize {
    halves(cut).into_iter().map(|half| count_distinct(&shape.map(|hours| hours & half))).sum()
}

fn by_days(shape: &Shape, cut: u32) -> Vec<(u32, u8)> {
    let mut rectangles: Vec<(u32, u8)> = Vec::new();
    for half in halves(cut) {
        let begin = rectangles.len();
        for (day, hours) in shape.iter().map(|hours| hours & half).enumerate().filter(|(_, hours)| *hours != 0) {
            match rectangles[begin..].iter_mut().find(|(known, _)| *known == hours) {
                Some((_, days)) => *days |= 1 << day,
                None => rectangles.push((hours, 1 << day)),
            }
        }
    }
    rectangles
}

fn count_by_hours(shape: &Shape) -> usize {
    // One bit per possible set of days; this count is where a messy week spends its time.
    let seen = days_of_hours(shape).into_iter().fold(0_u128, |seen, days| seen | 1 << days);
    (seen & !1).count_ones() as usize
}

fn by_hours(shape: &Shape) -> Vec<(u32, u8)> {
    let mut rectangles: Vec<(u32, u8)> = Vec::new();
    for (hour, days) in days_of_hours(shape).into_iter().enumerate().filter(|(_, days)| *days != 0) {
        match rectangles.iter_mut().find(|(_, known)| *known == days) {
            Some((hours, _)) => *hours |= 1 << hour,
            None => rectangles.push((1 << hour, days)),
        }
    }
    rectangles
}

fn days_of_hours(shape: &Shape) -> [u8; 24] {
    std::array::from_fn(|hour| (0..7).fold(0, |days, day| days | ((shape[day] >> hour & 1) as u8) << day))
}

fn halves(cut: u32) -> [u32; 2] {
    let before = (1 << cut) - 1;
    [before, ALL_HOURS & !before]
}

/// Distinct values other than zero.
fn count_distinct<T: PartialEq + Default>(values: &[T]) -> usize {
    let empty = T::default();
    values.iter().enumerate().filter(|(index, value)| **value != empty && !values[..*index].contains(value)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The shape with these hours on each day, Monday first.
    fn shape(days: [&[u32]; 7]) -> Shape {
        days.map(|hours| hours.iter().fold(0, |bits, hour| bits | 1 << hour))
    }

    fn assert_splits(shape: &Shape, rectangles: &[(u32, u8)]) {
        let mut held = [0; 7];
        for (hours, days) in rectangles {
            assert!(*hours != 0 && *days != 0, "an empty rectangle: {rectangles:?}");
            for (day, held) in held.iter_mut().enumerate().filter(|(day, _)| days >> day & 1 == 1) {
                assert_eq!(*held & hours, 0, "hours of day {day} are held twice: {rectangles:?}");
                *held |= hours;
            }
        }
        assert_eq!(held, *shape);
    }

    #[test]
    fn the_way_with_the_fewest_rectangles_is_taken() {
        let check = |shape: &Shape, cuts: &[u32], expected: &[(u32, u8)]| {
            let found = rectangles(shape, cuts);
            assert_eq!(found, expected, "{shape:?}");
            assert_splits(shape, &found);
            assert_eq!(count(shape, cuts), found.len());
        };
        let none: &[u32] = &[];
        check(&[0; 7], &[0, 5], &[]);
        // Two kinds of days.
        check(&shape([&[9, 10], &[9, 10], &[9], none, &[9], none, none]), &[0], &[(3 << 9, 0b11), (1 << 9, 0b1_0100)]);
        // Each hour on other days: three kinds of hours, five of days, four pieces of days cut at 10.
        let stairs = shape([&[9], &[9, 10], &[9, 10, 11], &[10, 11], &[11], none, none]);
        check(&stairs, &[0, 10], &[(1 << 9, 0b111), (1 << 10, 0b1110), (1 << 11, 0b1_1100)]);
        check(&stairs, &[], &[(1 << 9, 0b111), (1 << 10, 0b1110), (1 << 11, 0b1_1100)]);
        // Days that begin on the evening before: a cut between morning and evening leaves two pieces.
        let east = shape([&[0, 1, 23], &[0, 1, 23], &[0, 1, 23], &[0, 1, 23], &[0, 1], none, &[23]]);
        check(&east, &[0, 12], &[(3, 0b1_1111), (1 << 23, 0b100_1111)]);
        // As many either way: days are grouped.
        check(&shape([&[3, 4], none, none, none, none, none, none]), &[0], &[(3 << 3, 1)]);
    }

    #[test]
    fn a_cut_is_counted_by_its_two_pieces() {
        let shape = shape([&[0, 23], &[0, 23], &[0], &[23], &[], &[1], &[0, 1, 23]]);
        assert_eq!([0, 1, 2, 12, 23].map(|cut| count_by_days(&shape, cut)), [5, 4, 4, 4, 4]);
        assert_eq!(count_by_hours(&shape), 3);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn rectangles_hold_exactly_the_shape(
            shape in prop::array::uniform7(0..1_u32 << 24),
            few in prop::array::uniform7(prop::sample::select(vec![0, 0x1ff00, 0x80_0001, 0x7e_0000])),
            cuts in prop::collection::vec(0..24_u32, 0..4),
        ) {
            for shape in [shape, few] {
                let found = rectangles(&shape, &cuts);
                assert_splits(&shape, &found);
                prop_assert_eq!(count(&shape, &cuts), found.len());
                for cut in &cuts {
                    let by_cut = by_days(&shape, *cut);
                    assert_splits(&shape, &by_cut);
                    prop_assert_eq!(count_by_days(&shape, *cut), by_cut.len());
                    prop_assert!(found.len() <= by_cut.len());
                }
                prop_assert_eq!(count_by_hours(&shape), by_hours(&shape).len());
                prop_assert!(found.len() <= by_hours(&shape).len());
            }
        }
    }
}
