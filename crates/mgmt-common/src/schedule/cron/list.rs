//! The shortest list for a set of values.

use super::field::{Field, FieldKind, Item, Weekdays};

/// The shortest field for the set (bit `v` = value `v`); `None` for an empty set or one with illegal values.
///
/// Tries the plain runs, and one step item plus the runs of what it leaves over. Two step items in one list would
/// sometimes be shorter still, but the length limit never needs it.
pub(super) fn shortest(kind: FieldKind, set: u64) -> Option<Field> {
    let every = span(kind.first(), kind.last());
    if set == 0 || set & !every != 0 {
        return None;
    }
    if set == every {
        return Some(Field::All);
    }
    let mut best = runs(set);
    let mut best_length = length(kind, &best);
    for first in kind.first()..=kind.last() {
        if set & (1 << first) == 0 {
            continue;
        }
        // Below three values a step is never shorter than the values themselves; a step of one is a range.
        for step in 2..=(kind.last() - first) / 2 {
            let stepped = (first..=kind.last()).step_by(usize::from(step)).fold(0, |bits, value| bits | 1_u64 << value);
            if set & stepped != stepped {
                continue;
            }
            let mut items = runs(set & !stepped);
            items.push(Item::Step(first, step));
            let items_length = length(kind, &items);
            if items_length < best_length {
                (best, best_length) = (items, items_length);
            }
        }
    }
    Some(Field::List(best))
}

/// Maximal runs in rising order. Two neighbours stay values (`1,2` is as short as `1-2` and cannot be misread).
fn runs(set: u64) -> Vec<Item> {
    let mut items = Vec::new();
    let mut rest = set;
    while rest != 0 {
        let first = rest.trailing_zeros();
        let last = first + (rest >> first).trailing_ones() - 1;
        let (low, high) = (first as u16, last as u16);
        match high - low {
            0 => items.push(Item::Value(low)),
            1 => items.extend([Item::Value(low), Item::Value(high)]),
            _ => items.push(Item::Range(low, high)),
        }
        rest &= !span(low, high);
    }
    items
}

/// The bits from `first` to `last`, both included; both below 64.
fn span(first: u16, last: u16) -> u64 {
    (u64::MAX >> (63 - last)) & (u64::MAX << first)
}

fn length(kind: FieldKind, items: &[Item]) -> usize {
    items.iter().map(|item| item.print(kind, Weekdays::Names).len() + 1).sum()
}
