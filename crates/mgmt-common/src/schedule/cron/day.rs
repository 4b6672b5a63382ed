//! The two day fields, of which exactly one is `?`.

use jiff::civil::{Date, Weekday};

use super::error::CronError;
use super::field::{Field, FieldKind, Weekdays};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Day {
    OfMonth(Field),
    /// `L` in day-of-month: the last day of the month.
    LastOfMonth,
    /// `15W`: the weekday (Monday to Friday) nearest to that day, within the month. It does not fire in a month that
    /// lacks the day.
    NearestWeekday(u16),
    OfWeek(Field),
    /// `L` in day-of-week: the last day of the week, Saturday.
    LastOfWeek,
    /// `6L`: the last Friday of the month.
    LastInMonth(u16),
    /// `3#2`: the second Tuesday of the month.
    NthInMonth(u16, i8),
}

impl Day {
    pub(super) fn weekdays(field: Field) -> Self {
        Self::OfWeek(field)
    }

    pub(super) fn parse(day_of_month: &str, day_of_week: &str) -> Result<Self, CronError> {
        match (day_of_month, day_of_week) {
            ("?", "?") => Err(CronError::DayFields),
            (text, "?") => Self::parse_day_of_month(text),
            ("?", text) => Self::parse_day_of_week(text),
            _ => Err(CronError::DayFields),
        }
    }

    fn parse_day_of_month(text: &str) -> Result<Self, CronError> {
        let kind = FieldKind::DayOfMonth;
        if text == "L" {
            return Ok(Self::LastOfMonth);
        }
        match text.strip_suffix('W') {
            Some(day) => kind.parse_value(day).map(Self::NearestWeekday),
            None => Field::parse(kind, text).map(Self::OfMonth),
        }
    }

    fn parse_day_of_week(text: &str) -> Result<Self, CronError> {
        let kind = FieldKind::DayOfWeek;
        if text == "L" {
            return Ok(Self::LastOfWeek);
        }
        if let Some((day, ordinal)) = text.split_once('#') {
            let day = kind.parse_value(day)?;
            return match ordinal.as_bytes() {
                [digit @ b'1'..=b'5'] => Ok(Self::NthInMonth(day, (digit - b'0').cast_signed())),
                _ => Err(kind.error(text, "after `#` there must be one number from 1 to 5")),
            };
        }
        match text.strip_suffix('L') {
            Some(day) => kind.parse_value(day).map(Self::LastInMonth),
            None => Field::parse(kind, text).map(Self::OfWeek),
        }
    }

    /// The texts of day-of-month and day-of-week.
    pub(super) fn print(&self, weekdays: Weekdays) -> (String, String) {
        let unspecified = "?".to_owned();
        match self {
            Self::OfMonth(field) => (field.print(FieldKind::DayOfMonth, weekdays), unspecified),
            Self::LastOfMonth => ("L".to_owned(), unspecified),
            Self::NearestWeekday(day) => (format!("{day}W"), unspecified),
            Self::OfWeek(field) => (unspecified, field.print(FieldKind::DayOfWeek, weekdays)),
            Self::LastOfWeek => (unspecified, "L".to_owned()),
            // The guide shows `L` and `#` after numbers only.
            Self::LastInMonth(day) => (unspecified, format!("{day}L")),
            Self::NthInMonth(day, ordinal) => (unspecified, format!("{day}#{ordinal}")),
        }
    }

    pub(super) fn holds(&self, date: Date) -> bool {
        let day = u16::from(date.day().unsigned_abs());
        let weekday = u16::from(date.weekday().to_sunday_one_offset().unsigned_abs());
        match self {
            Self::OfMonth(field) => field.holds(FieldKind::DayOfMonth, day),
            Self::LastOfMonth => date.day() == date.days_in_month(),
            Self::NearestWeekday(target) => nearest_weekday(date, *target) == Some(date.day()),
            Self::OfWeek(field) => field.holds(FieldKind::DayOfWeek, weekday),
            Self::LastOfWeek => date.weekday() == Weekday::Saturday,
            Self::LastInMonth(target) => weekday == *target && date.day() + 7 > date.days_in_month(),
            Self::NthInMonth(target, ordinal) => weekday == *target && (date.day() - 1) / 7 + 1 == *ordinal,
        }
    }
}

/// The day of the month of `date` on which `{target}W` fires.
fn nearest_weekday(date: Date, target: u16) -> Option<i8> {
    let day = i8::try_from(target).ok().filter(|day| *day <= date.days_in_month())?;
    let target = date.with().day(day).build().ok()?;
    Some(match target.weekday() {
        Weekday::Saturday if day == 1 => 3,
        Weekday::Saturday => day - 1,
        Weekday::Sunday if day == date.days_in_month() => day - 2,
        Weekday::Sunday => day + 1,
        _ => day,
    })
}
