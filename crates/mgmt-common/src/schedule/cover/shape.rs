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
