//! What a request says about a module, and a module with that over it.

use module_mgmt_protocol::state::ModuleType;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::module::RegisteredModule;
use super::navigation::NavItem;

/// The fields of a module; each is accepted in snake_case too. On PUT an absent field stays as it is, and null empties a field that
/// can be empty.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(as = ModuleBody)]
pub(crate) struct ModuleChange {
    /// Needed on POST; on PUT it must be the name in the path.
    pub(crate) name: Option<String>,
    /// The name by default.
    #[serde(alias = "display_name")]
    pub(crate) display_name: Option<String>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(crate) description: Option<Option<String>>,
    /// `functional` by default.
    #[serde(rename = "type", alias = "module_type", alias = "moduleType")]
    pub(crate) module_type: Option<ModuleType>,
    /// 3 by default.
    pub(crate) tier: Option<u8>,
    /// Only on POST, where true passes the same checks as enabling does; false by default.
    #[serde(alias = "is_enabled")]
    pub(crate) is_enabled: Option<bool>,
    /// True by default.
    #[serde(alias = "is_installed")]
    pub(crate) is_installed: Option<bool>,
    /// Semantic version; 1.0.0 by default.
    pub(crate) version: Option<String>,
    #[serde(alias = "min_compatible_version", deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(crate) min_compatible_version: Option<Option<String>>,
    /// An object, stored as it is.
    #[schema(value_type = Option<Value>)]
    pub(crate) config: Option<Box<RawValue>>,
    #[serde(alias = "config_schema", deserialize_with = "present")]
    #[schema(value_type = Option<Value>)]
    pub(crate) config_schema: Option<Option<Box<RawValue>>>,
    /// An object, stored as it is.
    #[serde(alias = "feature_flags")]
    #[schema(value_type = Option<Value>)]
    pub(crate) feature_flags: Option<Box<RawValue>>,
    pub(crate) dependencies: Option<Vec<String>>,
    #[serde(alias = "nav_config", deserialize_with = "present")]
    #[schema(value_type = Option<NavItem>)]
    pub(crate) nav_config: Option<Option<NavItem>>,
    #[serde(alias = "required_permissions")]
    pub(crate) required_permissions: Option<Vec<String>>,
    pub(crate) functions: Option<Vec<Value>>,
}

/// Sets each field that was sent.
macro_rules! set {
    ($module:ident, $change:expr; $($field:ident)+) => {
        $(if let Some(sent) = &$change.$field {
            $module.$field.clone_from(sent);
        })+
    };
}

impl ModuleChange {
    /// Whether an override that fitted may no longer fit.
    pub(crate) fn concerns_overrides(&self) -> bool {
        self.config.is_some() || self.config_schema.is_some()
    }

    /// `module` with the fields of the request over it. Names, states and stamps are not for definitions.
    pub(crate) fn over(&self, module: &RegisteredModule) -> RegisteredModule {
        let mut module = module.clone();
        set!(module, self; display_name description module_type tier is_installed version min_compatible_version config
            config_schema feature_flags dependencies required_permissions functions);
        if let Some(sent) = &self.nav_config {
            // A menu entry holds texts, numbers and flags only: it always serialises.
            module.nav_config = sent.as_ref().and_then(|item| serde_json::to_value(item).ok());
        }
        module
    }
}

/// Tells null from absent: serde calls this only for a field that is there.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}
