//! The ranges of the seven days, and the minutes they make due.

use module_mgmt_protocol::field_error::{FieldError, join};
use serde_json::Value;

use super::fields::{Fields, Found};
use super::grid::WeekGrid;

/// The days as the stored value spells them, Monday first as in ISO 8601.
pub const DAY_NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

const MINUTES_PER_DAY: u32 = 24 * 60;

/// More ranges than minutes in a day cannot add a minute, only work.
const MAX_RANGES_PER_DAY: usize = 1440;

/// The ranges of the week, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Week {
    pub(super) ranges: Vec<Range>,
}

/// One range of an enabled day, in minutes after Monday 00:00. It belongs to the day of its start, and its end may lie in the
/// next day (on Sunday: beyond the end of the week, which is Monday again).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: u32,
    /// Exclusive.
    pub(super) end: u32,
}

impl Week {
    /// Reads `weekly_schedule`. Ranges of disabled days are checked like the others but never due.
    pub(super) fn parse(found: &Found<'_>, errors: &mut Vec<FieldError>) -> Self {
        let mut ranges = Vec::new();
        let Some(mut fields) = Fields::of(found.value, &found.pointer, errors) else {
            return Self { ranges };
        };
        for (index, name) in (0..).zip(DAY_NAMES) {
            match fields.optional(name) {
                Some(day) => {
                    let day_start = index * MINUTES_PER_DAY;
                    let parsed = parse_day(&day, errors).into_iter();
                    ranges.extend(
                        parsed.map(|range| Range { start: range.start + day_start, end: range.end + day_start }),
                    );
                }
                None => fields.missing(name, errors),
            }
        }
        fields.refuse_the_rest(errors);
        Self { ranges }
    }

    /// The minutes `start + k * interval` of every range. Each range counts from its own start, across midnight too; what
    /// several ranges share is due once.
    pub(super) fn due_minutes(&self, interval: u16) -> WeekGrid {
        let mut grid = WeekGrid::default();
        for range in &self.ranges {
            (range.start..range.end).step_by(usize::from(interval)).for_each(|minute| grid.insert(minute));
        }
        grid
    }
}

fn parse_day(found: &Found<'_>, errors: &mut Vec<FieldError>) -> Vec<Range> {
    let Some(mut fields) = Fields::of(found.value, &found.pointer, errors) else {
        return Vec::new();
    };
    let enabled = match fields.optional("enabled") {
        Some(enabled) => enabled.boolean(errors).unwrap_or(false),
        None => {
            fields.missing("enabled", errors);
            false
        }
    };
    let ranges = match fields.optional("ranges") {
        Some(ranges) => parse_ranges(&ranges, errors),
        None => {
            // A day that is off needs none; a day that is on without saying when is a mistake.
            if enabled {
                fields.missing("ranges", errors);
            }
            Vec::new()
        }
    };
    fields.refuse_the_rest(errors);
    if enabled { ranges } else { Vec::new() }
}

fn parse_ranges(found: &Found<'_>, errors: &mut Vec<FieldError>) -> Vec<Range> {
    let Some(list) = found.list(errors) else {
        return Vec::new();
    };
    if list.len() > MAX_RANGES_PER_DAY {
        errors.push(found.fault(format!("has {} ranges, at most {MAX_RANGES_PER_DAY} are allowed", list.len())));
        return Vec::new();
    }
    (0..)
        .zip(list)
        .filter_map(|(index, range)| parse_range(range, &format!("{}/{index}", found.pointer), errors))
        .collect()
}

fn parse_range(value: &Value, pointer: &str, errors: &mut Vec<FieldError>) -> Option<Range> {
    let mut fields = Fields::of(value, pointer, errors)?;
    let mut time = |name, is_end| match fields.optional(name) {
        Some(found) => {
            let text = found.text(errors)?;
            parse_time(text, is_end).map_err(|message| errors.push(found.fault(message))).ok()
        }
        None => {
            fields.missing(name, errors);
            None
        }
    };
    let (start, end) = (time("start", false), time("end", true));
    fields.refuse_the_rest(errors);
    let (start, end) = (start?, end?);
    if start == end {
        let message = "must differ from the start; a whole day is 00:00 to 24:00";
        errors.push(FieldError::new(join(pointer, "end"), message));
        return None;
    }
    Some(Range { start, end: if start > end { end + MINUTES_PER_DAY } else { end } })
}

/// Minutes after midnight of a strict `HH:MM`. Nothing is rounded or dropped: a time with seconds is an error.
fn parse_time(text: &str, is_end: bool) -> Result<u32, String> {
    let two_digits = |digits: &[u8]| match digits {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some(u32::from(tens - b'0') * 10 + u32::from(ones - b'0')),
        _ => None,
    };
    let parts = match text.as_bytes() {
        [hour @ .., b':', a, b] if hour.len() == 2 => two_digits(hour).zip(two_digits(&[*a, *b])),
        _ => None,
    };
    match parts {
        Some((24, 0)) if is_end => Ok(MINUTES_PER_DAY),
        Some((24, 0)) => {
            Err("24:00 is allowed only as an end; a range that starts at midnight starts at 00:00".to_owned())
        }
        Some((hour @ 0..=23, minute @ 0..=59)) => Ok(hour * 60 + minute),
        Some(_) => Err(format!("{text:?} is no time of day: 00:00 to 23:59{}", if is_end { ", or 24:00" } else { "" })),
        None => {
            Err(format!("{text:?} must be a time as HH:MM with two digits each and no seconds, for example \"09:00\""))
        }
    }
}
