//! The state of every module for one organisation, as `GET /platform/modules/state` sends it and gates keep it.

use serde::{Deserialize, Deserializer, Serialize};

use crate::decision::{Decision, Permissions, Reason, decide_for_caller};

/// Every registered module, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ModuleState {
    pub name: String,
    /// `core` or `functional`: gates stay open for core modules when the state is not known.
    #[serde(rename = "type", deserialize_with = "known_or_functional")]
    pub module_type: ModuleType,
    pub enabled: bool,
    /// Null when it is enabled.
    #[serde(default, deserialize_with = "known_or_unknown")]
    pub reason: Option<Reason>,
    /// A caller needs all of them.
    pub required_permissions: Vec<String>,
}

/// `core` modules carry the platform: switching one off takes `force`, and gates stay open when its state is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
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
        // Off without a reason is off all the same.
        let reason = if self.enabled { self.reason } else { self.reason.or(Some(Reason::Unknown)) };
        decide_for_caller(Decision::from(reason), &self.required_permissions, caller)
    }
}

/// Gates close functional modules when nothing is known, so a type of a newer control plane is read as that.
///
/// # Errors
/// What is no text.
pub fn known_or_functional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ModuleType, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Read {
        Known(ModuleType),
        Unknown(serde::de::IgnoredAny),
    }
    Ok(match Read::deserialize(deserializer)? {
        Read::Known(module_type) => module_type,
        Read::Unknown(_) => ModuleType::Functional,
    })
}

/// A newer control plane may say more than a word. That module is off for an unknown reason, and the others are read as ever.
fn known_or_unknown<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Reason>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Read {
        Word(Reason),
        Structured(serde::de::IgnoredAny),
    }
    Ok(Option::deserialize(deserializer)?.map(|read| match read {
        Read::Word(reason) => reason,
        Read::Structured(_) => Reason::Unknown,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(fields: &str) -> Decision {
        let module = format!(r#"{{"name": "module-a", "type": "functional", "requiredPermissions": [], {fields}}}"#);
        let state = format!(r#"{{"version": "8", "orgId": "o", "modules": [{module}]}}"#);
        serde_json::from_str::<RegistryState>(&state).unwrap().modules[0].decide(&Permissions::All)
    }

    #[test]
    fn a_module_that_is_not_enabled_is_off_without_a_reason_too() {
        assert_eq!(decided(r#""enabled": false, "reason": null"#), Decision::Off(Reason::Unknown));
        assert_eq!(decided(r#""enabled": false"#), Decision::Off(Reason::Unknown));
        assert_eq!(decided(r#""enabled": false, "reason": "org_off""#), Decision::Off(Reason::OrgOff));
        assert_eq!(decided(r#""enabled": true"#), Decision::On);
    }

    #[test]
    fn a_reason_that_is_no_word_leaves_the_state_readable() {
        for reason in [r#"{"code": "trial_over", "since": 7}"#, r#"{"org_off": {}}"#, r#"["org_off"]"#, "7", "true"] {
            let fields = format!(r#""enabled": false, "reason": {reason}"#);
            assert_eq!(decided(&fields), Decision::Off(Reason::Unknown), "{reason}");
        }
    }

    #[test]
    fn a_newer_control_planes_reason_type_and_fields_are_understood() {
        let state: RegistryState = serde_json::from_str(
            r#"{"version": "8", "orgId": "o", "region": "eu", "modules": [
                {"name": "module-a", "type": "premium", "enabled": false, "reason": "trial_over", "requiredPermissions": [],
                 "trial": {"ends": null}},
                {"name": "module-b", "type": "core", "enabled": true, "reason": null, "requiredPermissions": []}]}"#,
        )
        .unwrap();
        let decided: Vec<Decision> = state.modules.iter().map(|module| module.decide(&Permissions::All)).collect();
        assert_eq!(decided, [Decision::Off(Reason::Unknown), Decision::On]);
        assert_eq!(state.modules[0].module_type, ModuleType::Functional);
    }
}
