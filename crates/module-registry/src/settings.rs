//! What this function reads from its environment.

use mgmt_common::caller::ClaimNames;
use mgmt_common::settings::{self, DatabaseSettings, Reader, SettingsError};

#[derive(Clone)]
pub struct Settings {
    pub database: DatabaseSettings,
    pub claim_names: ClaimNames,
}

impl Settings {
    /// # Errors
    /// Everything that is missing or wrong.
    pub fn read(mut reader: Reader) -> Result<Self, SettingsError> {
        let database = DatabaseSettings::read(&mut reader);
        let claim_names = settings::claim_names(&mut reader);
        reader.finish(Self { database, claim_names })
    }
}
