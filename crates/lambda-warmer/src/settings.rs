//! What this function reads from its environment.

use std::time::Duration;

use mgmt_common::aws::AwsSettings;
use mgmt_common::schedule::name::Namespace;
use mgmt_common::settings::{DatabaseSettings, Reader, SettingsError, aws, service};
use module_mgmt_protocol::ping::MAX_HOLD;

#[derive(Clone)]
pub struct Settings {
    /// The worker's login (`DATABASE_ROLE=worker`).
    pub database: DatabaseSettings,
    pub aws: AwsSettings,
    pub namespace: Namespace,
    /// `WARMING_ACCOUNTS`: other accounts whose functions may be warmed.
    pub warming_accounts: Vec<String>,
    /// `HOLD_MS`, 500 by default, at most 2,000: how long a ping keeps its instance busy, so that the pings of one
    /// function meet different instances.
    pub hold: Duration,
    /// `MAX_IN_FLIGHT`, 500 by default: pings under way at once over all functions, with and without a reservation.
    pub max_in_flight: u32,
}

impl Settings {
    /// # Errors
    /// Everything that is missing or wrong.
    pub fn read(mut reader: Reader) -> Result<Self, SettingsError> {
        let database = DatabaseSettings::read(&mut reader);
        let aws = aws::aws_settings(&mut reader);
        let namespace = service::namespace(&mut reader);
        let warming_accounts = service::warming_accounts(&mut reader);
        let hold = reader.parsed("HOLD_MS", "500", |text| {
            text.parse().ok().map(Duration::from_millis).filter(|hold| *hold <= MAX_HOLD)
        });
        let max_in_flight = reader.parsed("MAX_IN_FLIGHT", "500", |text| text.parse().ok().filter(|n| *n > 0));
        let (Some(namespace), Some(hold), Some(max_in_flight)) = (namespace, hold, max_in_flight) else {
            return reader.finish(()).and(Err(SettingsError(Vec::new())));
        };
        reader.finish(Self { database, aws, namespace, warming_accounts, hold, max_in_flight })
    }
}
