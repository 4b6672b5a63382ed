//! What this function reads from its environment.

use mgmt_common::settings::{DatabaseSettings, Reader, SettingsError, service};
use module_mgmt_protocol::caller::ClaimNames;

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
        let claim_names = service::claim_names(&mut reader);
        reader.finish(Self { database, claim_names })
    }
}
