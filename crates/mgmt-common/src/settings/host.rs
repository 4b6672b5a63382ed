//! What a platform's own function needs to know about the control plane.

use super::{Reader, SettingsError, claim_names};
use crate::caller::ClaimNames;

/// `MODULE_MGMT_URL`, `MODULE_NAME`, and the claims' names as the control plane itself reads them.
#[derive(Debug, Clone)]
pub struct HostSettings {
    /// Where the control plane's API is, without `/platform`: `https://api.example.com` or with a stage behind it.
    pub url: String,
    /// The module that the function belongs to, for example `module-orders`.
    pub module: String,
    pub claim_names: ClaimNames,
}

impl HostSettings {
    /// # Errors
    /// Everything that is missing, at once.
    pub fn read(mut reader: Reader) -> Result<Self, SettingsError> {
        let settings = Self {
            url: reader.required("MODULE_MGMT_URL"),
            module: reader.required("MODULE_NAME"),
            claim_names: claim_names(&mut reader),
        };
        reader.finish(settings)
    }
}
