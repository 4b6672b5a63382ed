//! The state of every module for one organisation, as `GET /platform/modules/state` sends it and gates keep it.

use serde::{Deserialize, Serialize};

use super::decision::{Decision, Facts, Permissions, Reason, decide};

/// Every registered module, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RegistryState {
    /// Changes whenever anything else here may have changed; the ETag is this text in double quotes.
    pub version: String,
    /// The organisation that the reasons are about.
    pub org_id: String,
    pub modules: Vec<ModuleState>,
}

/// One module, decided for the organisation but before the caller's permissions are looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ModuleState {
    pub name: String,
    /// `core` or `functional`: gates stay open for core modules when the state is not known.
    #[serde(rename = "type")]
    pub module_type: ModuleType,
    pub enabled: bool,
    /// Null when it is enabled.
    pub reason: Option<Reason>,
    /// A caller needs all of them.
    pub required_permissions: Vec<String>,
}

/// `core` modules carry the platform: switching one off takes `force`, and gates stay open when its state is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ModuleType {
    Core,
    Functional,
}

impl ModuleType {
    /// As the API and the database spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Functional => "functional",
        }
    }
}

impl ModuleState {
    /// Whether the module is on for a caller of this organisation.
    pub fn decide(&self, caller: &Permissions<'_>) -> Decision {
        decide(&Facts::of_decision(Decision::from(self.reason), &self.required_permissions), caller)
    }
}
