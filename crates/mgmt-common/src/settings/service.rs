//! What functions of the control plane read besides the database's settings.

use module_mgmt_protocol::caller::ClaimNames;
use tracing_subscriber::filter::LevelFilter;

use super::Reader;
use crate::schedule::name::Namespace;

/// `LOG_LEVEL`: error, warn, info (default), debug or trace.
pub fn log_level(reader: &mut Reader) -> LevelFilter {
    reader.parsed("LOG_LEVEL", "info", |text| text.parse().ok()).unwrap_or(LevelFilter::INFO)
}

/// The claims' names; see [`ClaimNames::from_variables`].
pub fn claim_names(reader: &mut Reader) -> ClaimNames {
    ClaimNames::from_variables(|name| reader.optional(name))
}

/// `PROJECT` and `ENVIRONMENT`: the namespace of this deployment's rules.
pub fn namespace(reader: &mut Reader) -> Option<Namespace> {
    let (project, environment) = (reader.required("PROJECT"), reader.required("ENVIRONMENT"));
    Namespace::parse(&project, &environment).map_err(|error| reader.fault(error.to_string())).ok()
}
