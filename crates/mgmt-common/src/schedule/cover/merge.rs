//! Drawing one box around two, wherever that costs least.

use super::minute_box::MinuteBox;

/// More boxes than this are too many pairs to look at again and again.
pub(super) const MOST_BOXES: usize = 32;

/// Unites boxes until at most `most` are left, each time where it costs the fewest extra minutes per box saved.
///
/// A box around two may meet others; it then grows around those too, so the result is disjoint if the input was.
pub(super) fn unite_down_to(mut boxes: Vec<MinuteBox>, most: usize) -> Vec<MinuteBox> {
    boxes.sort_unstable();
    while boxes.len() > most.max(1) {
        let pairs = (1..boxes.len()).flat_map(|high| (0..high).map(move |low| (low, high)));
        let unions = pairs.map(|(low, high)| Union::around(&boxes, low, high));
        let Some(best) = unions.min_by(Union::compare) else {
            break;
        };
        boxes.retain(|one| !one.intersects(best.outer));
        boxes.push(best.outer);
        boxes.sort_unstable();
    }
    boxes
}

#[derive(Debug, Clone, Copy)]
struct Union {
    outer: MinuteBox,
    extra: u32,
    saved: u32,
}

impl Union {
    fn around(boxes: &[MinuteBox], low: usize, high: usize) -> Self {
        let mut outer = boxes[low].around(boxes[high]);
        loop {
            let inside = boxes.iter().filter(|one| one.intersects(outer));
            let grown = inside.clone().fold(outer, |outer, one| outer.around(*one));
            if grown == outer {
                let held: u32 = inside.clone().map(|one| one.ticks()).sum();
                return Self { outer, extra: outer.ticks() - held, saved: inside.count() as u32 - 1 };
            }
            outer = grown;
        }
    }

    /// Extra minutes per box saved, compared without division; among equals the smaller box, so that the order of the
    /// input does not matter.
    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        let cost = |one: &Self, other: &Self| u64::from(one.extra) * u64::from(other.saved);
        cost(self, other).cmp(&cost(other, self)).then(self.outer.cmp(&other.outer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn box_of(days: u8, hours: u32, minutes: u64) -> MinuteBox {
        MinuteBox { days, hours, minutes }
    }

    #[test]
    fn the_pair_that_costs_the_fewest_minutes_for_each_box_saved_is_united_first() {
        let (monday, tuesday, friday) = (box_of(1, 1, 1), box_of(2, 1, 1), box_of(1 << 4, 1 << 9, 1));
        let check = |boxes: &[MinuteBox], most: usize, expected: &[MinuteBox]| {
            assert_eq!(unite_down_to(boxes.to_vec(), most), expected, "{boxes:?} to {most}");
            let reversed: Vec<MinuteBox> = boxes.iter().rev().copied().collect();
            assert_eq!(unite_down_to(reversed, most), expected, "the order of the boxes does not matter");
        };
        let both = box_of(3, 1, 1);
        let all = box_of(0b1_0011, 1 | 1 << 9, 1);
        check(&[monday, tuesday, friday], 3, &[monday, tuesday, friday]);
        check(&[monday, tuesday, friday], 2, &[both, friday]);
        check(&[monday, tuesday, friday], 1, &[all]);
        check(&[monday, tuesday, friday], 0, &[all]);
        check(&[], 0, &[]);
    }

    #[test]
    fn a_box_around_two_takes_in_all_that_it_meets_and_is_charged_for_the_rest() {
        // Hours beside the box are not in it, even where they lie between its own.
        let boxes = [box_of(1, 0b001, 1), box_of(1, 0b010, 1), box_of(1, 0b1000, 1)];
        let union = Union::around(&boxes, 0, 2);
        assert_eq!((union.outer, union.extra, union.saved), (box_of(1, 0b1001, 1), 0, 1));
        // These two meet the other two: four boxes become one of eight minutes, of which six were held.
        let meeting = [
            box_of(1, 0b0001, 0b001),
            box_of(0b10, 0b0011, 0b100),
            box_of(0b11, 0b0010, 0b001),
            box_of(0b10, 0b0001, 1),
        ];
        let union = Union::around(&meeting, 0, 1);
        assert_eq!((union.outer, union.saved), (box_of(0b11, 0b0011, 0b101), 3));
        assert_eq!(union.extra, 8 - 1 - 2 - 2 - 1);
    }

    #[test]
    fn unions_are_compared_by_minutes_for_each_box_and_then_by_the_smaller_box() {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let union = |extra, saved, days| Union { outer: box_of(days, 1, 1), extra, saved };
        let check = |one: Union, other: Union, expected| {
            assert_eq!(one.compare(&other), expected, "{one:?} {other:?}");
            assert_eq!(other.compare(&one), expected.reverse(), "{other:?} {one:?}");
        };
        check(union(3, 1, 1), union(5, 2, 1), Greater);
        check(union(2, 1, 1), union(5, 2, 1), Less);
        check(union(2, 1, 1), union(4, 2, 1), Equal);
        check(union(2, 1, 1), union(4, 2, 2), Less);
        check(union(0, 1, 3), union(0, 9, 2), Greater);
    }
}
