//! One field of an expression: a list of values, ranges and steps.

use super::error::CronError;

/// Which field a list belongs to; it decides the legal values and their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    Minutes,
    Hours,
    DayOfMonth,
    Month,
    DayOfWeek,
    Year,
}

/// How weekdays print. Names are the rule because the numbers are what people and other cron readers get wrong (SUN is 1
/// here); numbers are for an expression that names would push over the length limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weekdays {
    Names,
    Numbers,
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl FieldKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::DayOfMonth => "day-of-month",
            Self::Month => "month",
            Self::DayOfWeek => "day-of-week",
            Self::Year => "year",
        }
    }

    pub(super) fn first(self) -> u16 {
        match self {
            Self::Minutes | Self::Hours => 0,
            Self::DayOfMonth | Self::Month | Self::DayOfWeek => 1,
            Self::Year => 1970,
        }
    }

    pub(super) fn last(self) -> u16 {
        match self {
            Self::Minutes => 59,
            Self::Hours => 23,
            Self::DayOfMonth => 31,
            Self::Month => 12,
            Self::DayOfWeek => 7,
            Self::Year => 2199,
        }
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Month => &MONTHS,
            Self::DayOfWeek => &WEEKDAYS,
            _ => &[],
        }
    }

    fn print_value(self, value: u16, weekdays: Weekdays) -> String {
        match (self, weekdays) {
            (Self::DayOfWeek, Weekdays::Names) => WEEKDAYS[usize::from(value) - 1].to_owned(),
            _ => value.to_string(),
        }
    }

    pub(super) fn parse_value(self, text: &str) -> Result<u16, CronError> {
        if let Some(index) = self.names().iter().position(|name| *name == text) {
            return Ok(index as u16 + self.first());
        }
        let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|value| digits && (self.first()..=self.last()).contains(value))
            .ok_or_else(|| self.error(text, format!("not a value from {} to {}", self.first(), self.last())))
    }

    pub(super) fn error(self, text: &str, reason: impl Into<String>) -> CronError {
        CronError::Field { field: self.name(), text: text.to_owned(), reason: reason.into() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Field {
    All,
    List(Vec<Item>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Item {
    Value(u16),
    /// From the first to the second, both included; a smaller second wraps around the end of the field.
    Range(u16, u16),
    /// `first/step`: up to the end of the field. `*/step` is the same from the first value.
    Step(u16, u16),
    /// `first-last/step`.
    RangeStep(u16, u16, u16),
}

impl Field {
    pub(super) fn all() -> Self {
        Self::All
    }

    pub(super) fn parse(kind: FieldKind, text: &str) -> Result<Self, CronError> {
        if text == "*" {
            return Ok(Self::All);
        }
        text.split(',').map(|item| Item::parse(kind, item)).collect::<Result<_, _>>().map(Self::List)
    }

    pub(super) fn holds(&self, kind: FieldKind, value: u16) -> bool {
        match self {
            Self::All => (kind.first()..=kind.last()).contains(&value),
            Self::List(items) => items.iter().any(|item| item.holds(kind, value)),
        }
    }

    pub(super) fn print(&self, kind: FieldKind, weekdays: Weekdays) -> String {
        match self {
            Self::All => "*".to_owned(),
            Self::List(items) => items.iter().map(|item| item.print(kind, weekdays)).collect::<Vec<_>>().join(","),
        }
    }
}

impl Item {
    fn parse(kind: FieldKind, text: &str) -> Result<Self, CronError> {
        let Some((base, step)) = text.split_once('/') else {
            return match text.split_once('-') {
                None => kind.parse_value(text).map(Self::Value),
                Some((first, last)) => {
                    parse_range(kind, text, first, last).map(|(first, last)| Self::Range(first, last))
                }
            };
        };
        let step = parse_step(kind, text, step)?;
        match base.split_once('-') {
            _ if base == "*" => Ok(Self::Step(kind.first(), step)),
            None => kind.parse_value(base).map(|first| Self::Step(first, step)),
            Some((first, last)) => {
                parse_range(kind, text, first, last).map(|(first, last)| Self::RangeStep(first, last, step))
            }
        }
    }

    fn holds(self, kind: FieldKind, value: u16) -> bool {
        let (first, last, step) = match self {
            Self::Value(only) => (only, only, 1),
            Self::Range(first, last) => (first, last, 1),
            Self::Step(first, step) => (first, kind.last(), step),
            Self::RangeStep(first, last, step) => (first, last, step),
        };
        if !(kind.first()..=kind.last()).contains(&value) {
            return false;
        }
        let size = kind.last() - kind.first() + 1;
        let length = (last + size - first) % size;
        let distance = (value + size - first) % size;
        distance <= length && distance.is_multiple_of(step)
    }

    pub(super) fn print(self, kind: FieldKind, weekdays: Weekdays) -> String {
        let value = |value| kind.print_value(value, weekdays);
        match self {
            Self::Value(only) => value(only),
            Self::Range(first, last) => format!("{}-{}", value(first), value(last)),
            // `1970/2` would be longer than what was read.
            Self::Step(first, step) if kind == FieldKind::Year && first == kind.first() => format!("*/{step}"),
            Self::Step(first, step) => format!("{}/{step}", value(first)),
            Self::RangeStep(first, last, step) => format!("{}-{}/{step}", value(first), value(last)),
        }
    }
}

fn parse_range(kind: FieldKind, text: &str, first: &str, last: &str) -> Result<(u16, u16), CronError> {
    let (first, last) = (kind.parse_value(first)?, kind.parse_value(last)?);
    if kind == FieldKind::Year && last < first {
        return Err(kind.error(text, "a range of years cannot wrap"));
    }
    Ok((first, last))
}

fn parse_step(kind: FieldKind, text: &str, step: &str) -> Result<u16, CronError> {
    let largest = if kind == FieldKind::Year { kind.last() - kind.first() } else { kind.last() };
    let digits = !step.is_empty() && step.len() <= 4 && step.bytes().all(|byte| byte.is_ascii_digit());
    step.parse()
        .ok()
        .filter(|step| digits && (1..=largest).contains(step))
        .ok_or_else(|| kind.error(text, format!("the step must be from 1 to {largest}")))
}
