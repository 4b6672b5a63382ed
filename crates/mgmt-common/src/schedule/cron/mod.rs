//! The cron dialect of EventBridge rules, with AWS's own limits.
//!
//! Source: the EventBridge user guide, "Cron expressions reference". Six fields in UTC,
//! `cron(minutes hours day-of-month month day-of-week year)`, exactly one of the two day fields is `?`, SUN is 1.
//! Where the guide is silent about a combination (`LW`, `L-3`, `*` inside a list, `L`, `W` or `#` beside other items, names
//! in lower case) the parser refuses it: a rule that AWS might read differently is worth less than an error.
//!
//! A range whose end lies before its start (`20-2`) is legal and means "20 to the end and the beginning to 2". It is
//! also a trap: with `MON-FRI` it runs on Monday from 00:00 to 02:00 and not on Saturday. The parser reads it as AWS
//! does; [`CronExpression::weekly`], the only way to build an expression from values, cannot express it.

mod day;
mod error;
mod field;
mod list;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::Offset;

pub use self::error::{CronError, MAX_EXPRESSION_LENGTH};

use self::day::Day;
use self::field::{Field, FieldKind, Weekdays};

/// One legal expression. Prints in a normal form (months as numbers, weekdays as names) that parses to an equal value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CronExpression {
    minutes: Field,
    hours: Field,
    day: Day,
    months: Field,
    years: Field,
}

impl CronExpression {
    /// Reads an expression such as `cron(0/5 9-17 ? * MON-FRI *)`.
    ///
    /// # Errors
    /// The first thing EventBridge would refuse, with the field and the reason.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        if text.len() > MAX_EXPRESSION_LENGTH {
            return Err(CronError::TooLong(text.len()));
        }
        let inner = text.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')')).ok_or(CronError::NotCron)?;
        let fields: Vec<&str> = inner.split_ascii_whitespace().collect();
        let &[minutes, hours, day_of_month, months, day_of_week, years] = fields.as_slice() else {
            return Err(CronError::FieldCount(fields.len()));
        };
        Ok(Self {
            minutes: Field::parse(FieldKind::Minutes, minutes)?,
            hours: Field::parse(FieldKind::Hours, hours)?,
            day: Day::parse(day_of_month, day_of_week)?,
            months: Field::parse(FieldKind::Month, months)?,
            years: Field::parse(FieldKind::Year, years)?,
        })
    }

    /// The expression that fires at these minutes of these hours on these weekdays, every week, in the shortest form made
    /// of `*`, `a-b`, `a/b` and lists of them, never with a wrapping range.
    ///
    /// Bit 0 of `weekdays` is Sunday. `None` if one of the sets is empty or has a bit beyond its field: such a rule could
    /// never fire or would be illegal. The longest possible result stays far below [`MAX_EXPRESSION_LENGTH`]: at most 20
    /// runs of two minutes, 8 runs of two hours and 4 names.
    pub fn weekly(minutes: u64, hours: u32, weekdays: u8) -> Option<Self> {
        Some(Self {
            minutes: list::shortest(FieldKind::Minutes, minutes)?,
            hours: list::shortest(FieldKind::Hours, u64::from(hours))?,
            day: Day::weekdays(list::shortest(FieldKind::DayOfWeek, u64::from(weekdays) << 1)?),
            months: Field::all(),
            years: Field::all(),
        })
    }

    /// Whether EventBridge fires this rule in the UTC minute that holds the instant.
    pub fn fires(&self, minute: Timestamp) -> bool {
        let utc = Offset::UTC.to_datetime(minute);
        self.minutes.holds(FieldKind::Minutes, u16::from(utc.minute().unsigned_abs()))
            && self.hours.holds(FieldKind::Hours, u16::from(utc.hour().unsigned_abs()))
            && self.months.holds(FieldKind::Month, u16::from(utc.month().unsigned_abs()))
            && self.years.holds(FieldKind::Year, utc.year().unsigned_abs())
            && self.day.holds(utc.date())
    }
}

impl CronExpression {
    fn print(&self, weekdays: Weekdays) -> String {
        let (day_of_month, day_of_week) = self.day.print(weekdays);
        let print = |field: &Field, kind| field.print(kind, weekdays);
        format!(
            "cron({} {} {day_of_month} {} {day_of_week} {})",
            print(&self.minutes, FieldKind::Minutes),
            print(&self.hours, FieldKind::Hours),
            print(&self.months, FieldKind::Month),
            print(&self.years, FieldKind::Year),
        )
    }
}

impl fmt::Display for CronExpression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.print(Weekdays::Names);
        if named.len() <= MAX_EXPRESSION_LENGTH {
            return formatter.write_str(&named);
        }
        formatter.write_str(&self.print(Weekdays::Numbers))
    }
}

impl FromStr for CronExpression {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests;
