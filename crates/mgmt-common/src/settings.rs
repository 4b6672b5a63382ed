//! The only reader of environment variables. One struct per function, so that each gets only what it needs.
//!
//! Every struct reads all it needs and reports all that is missing or wrong at once.

#[cfg(any(feature = "eventbridge", feature = "lambda"))]
pub mod aws;
mod reader;
#[cfg(feature = "service")]
pub mod service;

pub use reader::{Reader, SettingsError};

/// Which of the two logins a deployed function has; see the room `db`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseRole {
    Request,
    Worker,
}

/// `DATABASE_URL`, `DATABASE_ROLE` (`request` or `worker`), `DATABASE_CA_PEM`, `DATABASE_POOL_SIZE`.
#[derive(Clone)]
pub struct DatabaseSettings {
    pub url: String,
    pub role: DatabaseRole,
    /// The roots to trust instead of the shipped ones, PEM.
    pub ca_pem: Option<String>,
    pub pool_size: Option<usize>,
}

impl DatabaseSettings {
    pub fn read(reader: &mut Reader) -> Self {
        let role = reader.parsed("DATABASE_ROLE", "request", |text| match text {
            "request" => Some(DatabaseRole::Request),
            "worker" => Some(DatabaseRole::Worker),
            _ => None,
        });
        Self {
            url: reader.required("DATABASE_URL"),
            role: role.unwrap_or(DatabaseRole::Request),
            ca_pem: reader.optional("DATABASE_CA_PEM"),
            pool_size: reader.optional_parsed("DATABASE_POOL_SIZE", |text| text.parse().ok().filter(|size| *size > 0)),
        }
    }
}
