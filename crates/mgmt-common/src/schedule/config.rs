//! The stored value of `lambda_warming`, parsed into a type that cannot be wrong.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use module_mgmt_protocol::field_error::FieldError;
use serde_json::Value;

use super::due::{self, DueMinutes};
use super::fields::{Fields, Found};
use super::functions::{self, WarmFunction};
use super::grid::WeekGrid;
use super::week::Week;
use super::zone;

/// The longest interval: one ping a day.
const MAX_INTERVAL_MINUTES: u16 = 1440;

/// A valid weekly schedule in local time, and whom to ping.
#[derive(Debug, Clone)]
pub struct WarmingConfig {
    enabled: bool,
    timezone: String,
    zone: TimeZone,
    interval_minutes: u16,
    week: Week,
    grid: WeekGrid,
    functions: Vec<WarmFunction>,
    include_modules: bool,
}

impl WarmingConfig {
    /// Reads `{enabled, timezone, interval_minutes, weekly_schedule, lambda_functions?, include_modules?}`; each name of two
    /// words may be spelt in camelCase instead. Unknown fields are errors at every level.
    ///
    /// # Errors
    /// Every fault of the value at once, each with a JSON pointer in the sender's own spelling.
    pub fn parse(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let parsed = Self::parse_collecting(value, &mut errors);
        parsed.filter(|_| errors.is_empty()).ok_or(errors)
    }

    fn parse_collecting(value: &Value, errors: &mut Vec<FieldError>) -> Option<Self> {
        let mut fields = Fields::of(value, "", errors)?;
        let enabled = fields.optional("enabled");
        let timezone = fields.optional("timezone");
        let interval = fields.optional_in_two_spellings("interval_minutes", "intervalMinutes", errors);
        let week = fields.optional_in_two_spellings("weekly_schedule", "weeklySchedule", errors);
        let functions = fields.optional_in_two_spellings("lambda_functions", "lambdaFunctions", errors);
        let include_modules = fields.optional_in_two_spellings("include_modules", "includeModules", errors);
        let required = [
            ("enabled", &enabled),
            ("timezone", &timezone),
            ("interval_minutes", &interval),
            ("weekly_schedule", &week),
        ];
        for (name, _) in required.iter().filter(|(_, found)| found.is_none()) {
            fields.missing(name, errors);
        }
        fields.refuse_the_rest(errors);

        let enabled = enabled.and_then(|found| found.boolean(errors));
        let zone = timezone.and_then(|found| parse_zone(&found, errors));
        let interval = interval.and_then(|found| found.number_up_to(MAX_INTERVAL_MINUTES, errors));
        let week = week.map(|found| Week::parse(&found, errors));
        let functions = functions.map(|found| functions::parse(&found, errors)).unwrap_or_default();
        let include_modules = include_modules.map_or(Some(true), |found| found.boolean(errors));

        let ((timezone, zone), week, interval_minutes) = (zone?, week?, interval?);
        let grid = week.due_minutes(interval_minutes);
        Some(Self {
            enabled: enabled?,
            timezone,
            zone,
            interval_minutes,
            week,
            grid,
            functions,
            include_modules: include_modules?,
        })
    }

    /// The switch of the whole schedule.
    pub fn enabled(&self) -> bool {
        self.enabled
    }

    /// The IANA name as it was sent.
    pub fn timezone(&self) -> &str {
        &self.timezone
    }

    /// 1 to 1,440.
    pub fn interval_minutes(&self) -> u16 {
        self.interval_minutes
    }

    /// The listed functions in their order; those of modules are not among them.
    pub fn functions(&self) -> &[WarmFunction] {
        &self.functions
    }

    /// Whether the functions of enabled modules are pinged too.
    pub fn include_modules(&self) -> bool {
        self.include_modules
    }

    /// Whether anything can ever be due: switched on, and at least one due minute in the week.
    pub fn is_active(&self) -> bool {
        self.enabled && !self.grid.is_empty()
    }

    /// The due minutes of the local week, whether or not the schedule is enabled.
    pub fn local_grid(&self) -> &WeekGrid {
        &self.grid
    }

    /// The zone from the bundled database.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether the UTC minute that holds the instant is due.
    ///
    /// The instant is read as local wall time. So a wall minute that DST skips is never due, one that occurs twice is due
    /// at both instants, and nothing is due while the schedule is disabled.
    pub fn due(&self, minute: Timestamp) -> bool {
        self.enabled && due::is_due(&self.zone, &self.grid, minute)
    }

    /// The due minutes at or after the instant, in order, without end unless nothing is ever due.
    pub fn due_from(&self, from: Timestamp) -> DueMinutes<'_> {
        DueMinutes::new(&self.zone, self.is_active().then_some(&self.grid), from)
    }

    /// The next `count` due minutes at or after the instant; fewer only if the calendar ends or nothing is ever due.
    pub fn next_due(&self, from: Timestamp, count: usize) -> Vec<Timestamp> {
        self.due_from(from).take(count).collect()
    }

    /// The parsed ranges, for the preview.
    pub(super) fn week(&self) -> &Week {
        &self.week
    }
}

fn parse_zone(found: &Found<'_>, errors: &mut Vec<FieldError>) -> Option<(String, TimeZone)> {
    let name = found.text(errors)?;
    match zone::find(name) {
        Ok(zone) => Some((name.to_owned(), zone)),
        Err(message) => {
            errors.push(found.fault(message));
            None
        }
    }
}
