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

/// `WARMING_ACCOUNTS`: other AWS accounts whose functions may be warmed, separated by commas; none by default.
pub fn warming_accounts(reader: &mut Reader) -> Vec<String> {
    let text = reader.or("WARMING_ACCOUNTS", "");
    let accounts: Vec<String> = text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect();
    for id in &accounts {
        if id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            reader.fault(format!("WARMING_ACCOUNTS: {id:?} is no account; it has twelve digits"));
        }
    }
    accounts
}
