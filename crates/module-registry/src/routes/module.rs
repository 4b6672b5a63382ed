//! A module as the API shows it: whole to platform admins, its public part to everybody else.

use jiff::Timestamp;
use mgmt_common::modules::state::ModuleType;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::definition::navigation::NavItem;
use crate::store::modules::ModuleRow;
use crate::store::visible::VisibleRow;

/// A registered module.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Module {
    name: String,
    display_name: String,
    description: Option<String>,
    #[serde(rename = "type")]
    module_type: ModuleType,
    /// 1 to 3; a module may depend only on modules of its own or a lower tier.
    tier: u8,
    is_enabled: bool,
    is_installed: bool,
    version: String,
    /// The oldest version that dependents may still ask for.
    min_compatible_version: Option<String>,
    /// As it was stored; its keys are never re-cased.
    #[schema(value_type = Value)]
    config: Box<RawValue>,
    /// JSON Schema of `config`.
    #[schema(value_type = Option<Value>)]
    config_schema: Option<Box<RawValue>>,
    #[schema(value_type = Value)]
    feature_flags: Box<RawValue>,
    /// Names, with `@` and a version requirement where it matters: `module-ai@>=1.2`.
    dependencies: Vec<String>,
    #[schema(value_type = Option<NavItem>)]
    nav_config: Option<Value>,
    /// A caller needs all of them.
    required_permissions: Vec<String>,
    /// Kept warm while the module is on; entries as in `lambda_functions` of the warming schedule.
    functions: Vec<Value>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    created_by: Option<String>,
    updated_by: Option<String>,
    /// Since when it is disabled.
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
    /// Counts changes; the ETag is this number in double quotes.
    row_version: i64,
}

impl From<ModuleRow> for Module {
    fn from(row: ModuleRow) -> Self {
        Self {
            name: row.module_name,
            display_name: row.display_name,
            description: row.description,
            module_type: row.module_type,
            tier: row.tier,
            is_enabled: row.is_enabled,
            is_installed: row.is_installed,
            version: row.version,
            min_compatible_version: row.min_compatible_version,
            config: row.config,
            config_schema: row.config_schema,
            feature_flags: row.feature_flags,
            dependencies: row.dependencies,
            nav_config: row.nav_config,
            required_permissions: row.required_permissions,
            functions: row.functions,
            created_at: row.created_at,
            updated_at: row.updated_at,
            created_by: row.created_by,
            updated_by: row.updated_by,
            disabled_at: row.disabled_at,
            row_version: row.row_version,
        }
    }
}

/// What everybody signed in may know of a module that is on for them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PublicModule {
    name: String,
    display_name: String,
    description: Option<String>,
    version: String,
    #[schema(value_type = Value)]
    feature_flags: Box<RawValue>,
    nav_config: Option<NavItem>,
}

impl From<VisibleRow> for PublicModule {
    fn from(row: VisibleRow) -> Self {
        Self {
            name: row.module_name,
            display_name: row.display_name,
            description: row.description,
            version: row.version,
            feature_flags: row.feature_flags,
            // Entries for admins are no business of others, here as in the menu.
            nav_config: row.nav_config.and_then(|item| item.visible_to(false)),
        }
    }
}

/// Whole for platform admins, else the public part.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ShownModule {
    Whole(Box<Module>),
    Public(Box<PublicModule>),
}
