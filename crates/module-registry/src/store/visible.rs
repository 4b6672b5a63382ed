//! The modules that a caller may see, with what decides whether they are on for them.

use mgmt_common::db::{Database, Result};
use module_mgmt_protocol::caller::Caller;
use module_mgmt_protocol::decision::Permissions;
use module_mgmt_protocol::effective::{ModuleFacts, decide_all};
use module_mgmt_protocol::state::ModuleType;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::definition::navigation::NavItem;

/// A module that the platform has on.
#[derive(Debug, Deserialize)]
pub(crate) struct VisibleRow {
    pub(crate) module_name: String,
    pub(crate) display_name: String,
    pub(crate) description: Option<String>,
    pub(crate) module_type: ModuleType,
    pub(crate) version: String,
    pub(crate) feature_flags: Box<RawValue>,
    #[serde(deserialize_with = "readable")]
    pub(crate) nav_config: Option<NavItem>,
    pub(crate) is_enabled: bool,
    pub(crate) is_installed: bool,
    pub(crate) dependencies: Vec<String>,
    pub(crate) required_permissions: Vec<String>,
    /// False where the caller's organisation has switched it off.
    pub(crate) org_on: bool,
}

/// What the platform has on, with the override of the caller's organisation.
pub(crate) const VISIBLE_MODULES: &str = "-- visible_modules
        select module.module_name, display_name, description, module_type, version, feature_flags, nav_config,
          module.is_enabled, is_installed, dependencies, required_permissions, coalesce(override.is_enabled, true) as org_on
        from public.platform_module_registry module
        left join public.platform_module_override override
          on override.module_name = module.module_name and override.org_id = (select module_mgmt.get_current_org_id())
        where module.is_enabled and module.deleted_at is null
        order by module.module_name";

/// The modules that are on for the caller, sorted by name. What the platform has off is not read at all: it can neither be shown nor
/// be what an enabled module needs.
pub(crate) async fn visible_modules(database: &Database, caller: &Caller) -> Result<Vec<VisibleRow>> {
    let rows: Vec<VisibleRow> = database.read_as(caller, VISIBLE_MODULES, &[]).await?;
    let facts: Vec<ModuleFacts<'_>> = rows.iter().map(VisibleRow::facts).collect();
    let on = decide_all(&facts, &permissions(caller));
    Ok(rows.into_iter().zip(on).filter(|(_, decision)| decision.is_on()).map(|(row, _)| row).collect())
}

/// An entry that somebody has edited by hand into something unreadable is no entry: one module must not take everybody's menu away.
fn readable<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<NavItem>, D::Error> {
    let stored = Option::<Value>::deserialize(deserializer)?;
    Ok(stored.and_then(|item| {
        let read = serde_json::from_value(item.clone());
        read.inspect_err(|error| tracing::error!(%error, %item, "a module's nav_config cannot be read")).ok()
    }))
}

/// Platform admins hold every permission.
pub(crate) fn permissions(caller: &Caller) -> Permissions<'_> {
    if caller.is_platform_admin { Permissions::All } else { Permissions::Set(&caller.permissions) }
}

impl VisibleRow {
    fn facts(&self) -> ModuleFacts<'_> {
        ModuleFacts {
            name: &self.module_name,
            is_enabled: self.is_enabled,
            is_installed: self.is_installed,
            org_on: self.org_on,
            dependencies: &self.dependencies,
            required_permissions: &self.required_permissions,
        }
    }
}
