//! Drawing one box around two, wherever that costs least.

use super::MinuteBox;

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
