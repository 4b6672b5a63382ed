//! The stored schedule, and the one way of reading it.

use mgmt_common::schedule::config::WarmingConfig;
use mgmt_common::web::error::{Error, Result};
use serde::Deserialize;
use serde_json::Value;

/// The schedule as it is stored.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct StoredSchedule {
    #[serde(rename = "config_value")]
    pub(crate) value: Value,
    pub(crate) is_active: bool,
    #[serde(rename = "row_version")]
    pub(crate) version: i64,
}

/// A schedule that is known to be valid.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub(crate) config: WarmingConfig,
    pub(crate) is_active: bool,
    pub(crate) version: i64,
}

impl StoredSchedule {
    /// # Errors
    /// A conflict that names every fault: somebody has edited the row by hand.
    pub(crate) fn parse(&self) -> Result<Schedule> {
        let config = WarmingConfig::parse(&self.value).map_err(|errors| {
            let all: Vec<String> = errors.iter().map(|error| format!("{} {}", error.pointer, error.message)).collect();
            let detail =
                format!("the stored lambda_warming config cannot be read, so no rule was touched: {}", all.join("; "));
            Error::conflict("config_unreadable", detail)
        })?;
        Ok(Schedule { config, is_active: self.is_active, version: self.version })
    }
}

/// No schedule is stored, or it is hidden because the claims were lost.
pub(crate) fn missing() -> Error {
    Error::conflict("config_missing", "there is no lambda_warming config to follow, so no rule was touched")
}
