//! The stored schedule, and the one way of reading it.

use serde::Deserialize;
use serde_json::Value;

use super::config::WarmingConfig;

/// The row of `lambda_warming`, as it is stored.
#[derive(Debug, Clone, Deserialize)]
pub struct StoredSchedule {
    #[serde(rename = "config_value")]
    pub value: Value,
    pub is_active: bool,
    #[serde(rename = "row_version")]
    pub version: i64,
}

/// A schedule that is known to be valid.
#[derive(Debug, Clone)]
pub struct Schedule {
    pub config: WarmingConfig,
    pub is_active: bool,
    pub version: i64,
}

/// No schedule can be followed, so nothing is done: no rule is touched and nothing is pinged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSchedule {
    /// There is no row, or it is hidden because the claims were lost.
    #[error("there is no lambda_warming config to follow, so no rule was touched and nothing was pinged")]
    Missing,
    /// Somebody has edited the row by hand; every fault with its pointer.
    #[error("the stored lambda_warming config cannot be read, so no rule was touched and nothing was pinged: {0}")]
    Unreadable(String),
}

impl StoredSchedule {
    /// # Errors
    /// [`NoSchedule::Unreadable`].
    pub fn parse(&self) -> Result<Schedule, NoSchedule> {
        let config = WarmingConfig::parse(&self.value).map_err(|errors| {
            let all: Vec<String> = errors.iter().map(|error| format!("{} {}", error.pointer, error.message)).collect();
            NoSchedule::Unreadable(all.join("; "))
        })?;
        Ok(Schedule { config, is_active: self.is_active, version: self.version })
    }
}
