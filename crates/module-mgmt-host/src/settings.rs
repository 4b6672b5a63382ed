//! What a host needs to know about the control plane, from its environment.

use module_mgmt_protocol::caller::ClaimNames;

/// `MODULE_MGMT_URL`, `MODULE_NAME`, and the claims' names as the control plane itself reads them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HostSettings {
    /// Where the control plane's API is: `https://api.example.com`, or with a stage behind it.
    pub url: String,
    /// The module that the function belongs to, for example `module-orders`.
    pub module: String,
    pub claim_names: ClaimNames,
}

/// The variables that are missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the settings are not complete; missing: {}", .0.join(", "))]
pub struct SettingsError(pub Vec<&'static str>);

impl HostSettings {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// Everything that is missing, at once.
    #[expect(clippy::disallowed_methods, reason = "this is the host's one reader of environment variables")]
    pub fn from_environment() -> Result<Self, SettingsError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// Reads what `variable` gives. An empty variable counts as absent, as Terraform's unset ones are.
    ///
    /// # Errors
    /// Everything that is missing, at once.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let mut missing = Vec::new();
        let mut required = |name: &'static str| {
            set(name).unwrap_or_else(|| {
                missing.push(name);
                String::new()
            })
        };
        let (url, module) = (required("MODULE_MGMT_URL"), required("MODULE_NAME"));
        let settings = Self { url, module, claim_names: ClaimNames::from_variables(set) };
        if missing.is_empty() { Ok(settings) } else { Err(SettingsError(missing)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_missing_is_told_at_once() {
        let error = HostSettings::from_variables(|name| (name == "MODULE_NAME").then(String::new)).unwrap_err();
        assert_eq!(error, SettingsError(vec!["MODULE_MGMT_URL", "MODULE_NAME"]));
    }

    #[test]
    fn claim_names_are_the_ones_that_the_control_plane_reads() {
        let settings = HostSettings::from_variables(|name| Some(format!("value of {name}"))).unwrap();
        assert_eq!(settings.url, "value of MODULE_MGMT_URL");
        assert_eq!(settings.claim_names.organisation, "value of CLAIM_ORGANISATION");
        let defaults = HostSettings::from_variables(|name| name.starts_with("MODULE").then(|| "x".to_owned())).unwrap();
        assert_eq!(defaults.claim_names.organisation, "org_id");
    }
}
