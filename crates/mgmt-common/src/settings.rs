//! The only reader of environment variables. One struct per function, so that each gets only what it needs.
//!
//! Every struct reads all it needs and reports all that is missing or wrong at once.

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "host")]
mod host;
mod reader;

#[cfg(feature = "aws")]
pub use aws::aws_settings;
#[cfg(feature = "host")]
pub use host::HostSettings;
pub use reader::{Reader, SettingsError};

#[cfg(feature = "http")]
use tracing_subscriber::filter::LevelFilter;

use crate::caller::ClaimNames;
#[cfg(feature = "schedule")]
use crate::schedule::name::Namespace;

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

/// `LOG_LEVEL`: error, warn, info (default), debug or trace.
#[cfg(feature = "http")]
pub fn log_level(reader: &mut Reader) -> LevelFilter {
    reader.parsed("LOG_LEVEL", "info", |text| text.parse().ok()).unwrap_or(LevelFilter::INFO)
}

/// `CLAIM_USER`, `CLAIM_ORGANISATION`, `CLAIM_PLATFORM_ADMIN`, `CLAIM_ORGANISATION_ADMIN`, `CLAIM_PERMISSIONS`.
pub fn claim_names(reader: &mut Reader) -> ClaimNames {
    let names = ClaimNames::default();
    ClaimNames {
        user: reader.or("CLAIM_USER", &names.user),
        organisation: reader.or("CLAIM_ORGANISATION", &names.organisation),
        platform_admin: reader.or("CLAIM_PLATFORM_ADMIN", &names.platform_admin),
        organisation_admin: reader.or("CLAIM_ORGANISATION_ADMIN", &names.organisation_admin),
        permissions: reader.or("CLAIM_PERMISSIONS", &names.permissions),
    }
}

/// `PROJECT` and `ENVIRONMENT`: the namespace of this deployment's rules.
#[cfg(feature = "schedule")]
pub fn namespace(reader: &mut Reader) -> Option<Namespace> {
    let (project, environment) = (reader.required("PROJECT"), reader.required("ENVIRONMENT"));
    Namespace::parse(&project, &environment).map_err(|error| reader.fault(error.to_string())).ok()
}
