//! What this function reads from its environment.

use mgmt_common::schedule::name::Namespace;
use mgmt_common::settings::{DatabaseSettings, Reader, SettingsError, service};
use mgmt_common::warming::boundary::Boundary;
use module_mgmt_protocol::caller::ClaimNames;

#[derive(Clone)]
pub struct Settings {
    pub database: DatabaseSettings,
    pub claim_names: ClaimNames,
    /// Of `PROJECT`, `ENVIRONMENT`, `WARMER_FUNCTION_ARN` and `WARMING_ACCOUNTS`, as far as they are set: which functions modules may want
    /// warm. The warmer looks again.
    pub boundary: Boundary,
    /// `OVERRIDES_PER_MINUTE`, 60 by default: writes of overrides that one organisation's admins may make.
    pub overrides_per_minute: i32,
}

impl Settings {
    /// # Errors
    /// Everything that is missing or wrong.
    pub fn read(mut reader: Reader) -> Result<Self, SettingsError> {
        let database = DatabaseSettings::read(&mut reader);
        let claim_names = service::claim_names(&mut reader);
        let warmer_arn = reader.optional("WARMER_FUNCTION_ARN");
        let accounts = service::warming_accounts(&mut reader);
        let namespace = reader.optional("PROJECT").zip(reader.optional("ENVIRONMENT"));
        let namespace = namespace.and_then(|(project, environment)| {
            Namespace::parse(&project, &environment).map_err(|error| reader.fault(error.to_string())).ok()
        });
        let boundary = Boundary::new(namespace.as_ref(), warmer_arn.as_deref(), &accounts);
        let overrides = reader.optional_parsed("OVERRIDES_PER_MINUTE", |text| text.parse().ok().filter(|n| *n > 0));
        let overrides_per_minute = overrides.unwrap_or(60);
        reader.finish(Self { database, claim_names, boundary, overrides_per_minute })
    }
}
