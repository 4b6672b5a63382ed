//! What this function reads from its environment.

use mgmt_common::settings::{DatabaseSettings, Reader, SettingsError, service};
use mgmt_common::usage::window::DEFAULT_MAX_AGE_DAYS;
use module_mgmt_protocol::caller::ClaimNames;

#[derive(Clone)]
pub struct Settings {
    pub database: DatabaseSettings,
    pub claim_names: ClaimNames,
    /// `USAGE_MAX_AGE_DAYS`, 35 by default, at most 365: how late an event may come. Days are sealed two days after that.
    pub max_age_days: u16,
    /// `USAGE_RETENTION_MONTHS`, 13 by default: how long raw events are kept. Daily figures are kept for ever.
    pub retention_months: u16,
    /// `USAGE_REJECT_DAYS`, 30 by default: how long refused items are kept.
    pub reject_days: u16,
    /// `AUDIT_MONTHS`, 24 by default: how long changes of modules and overrides are kept.
    pub audit_months: u16,
    /// `USAGE_EVENTS_PER_MINUTE`, 60,000 by default: what one organisation may send over HTTP.
    pub events_per_minute: i32,
}

impl Settings {
    /// # Errors
    /// Everything that is missing or wrong.
    pub fn read(mut reader: Reader) -> Result<Self, SettingsError> {
        let database = DatabaseSettings::read(&mut reader);
        let claim_names = service::claim_names(&mut reader);
        let mut days = |name: &str, default: u16, most: u16| {
            let parsed = reader.optional_parsed(name, |text| text.parse().ok().filter(|n| (1..=most).contains(n)));
            parsed.unwrap_or(default)
        };
        let max_age_days = days("USAGE_MAX_AGE_DAYS", DEFAULT_MAX_AGE_DAYS, 365);
        let retention_months = days("USAGE_RETENTION_MONTHS", 13, 1_200);
        let reject_days = days("USAGE_REJECT_DAYS", 30, 365);
        let audit_months = days("AUDIT_MONTHS", 24, 1_200);
        let events = reader.optional_parsed("USAGE_EVENTS_PER_MINUTE", |text| text.parse().ok().filter(|n| *n > 0));
        let events_per_minute = events.unwrap_or(60_000);
        reader.finish(Self {
            database,
            claim_names,
            max_age_days,
            retention_months,
            reject_days,
            audit_months,
            events_per_minute,
        })
    }
}
