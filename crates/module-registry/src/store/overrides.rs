//! Overrides of organisations, beside the modules that they are of.

use mgmt_common::db::{Database, Error, Result, Transaction};
use mgmt_common::modules::name::ModuleName;
use mgmt_common::params;
use module_mgmt_protocol::caller::Caller;
use module_mgmt_protocol::decision::{Decision, Permissions};
use module_mgmt_protocol::effective::{ModuleFacts, decide_all};
use module_mgmt_protocol::state::ModuleType;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::definition::override_change::Override;
use crate::definition::settings::merged;

/// A module as the organisation has it.
#[derive(Debug)]
pub(crate) struct OrgModuleRow {
    pub(crate) module_name: String,
    pub(crate) display_name: String,
    pub(crate) description: Option<String>,
    pub(crate) module_type: ModuleType,
    pub(crate) version: String,
    pub(crate) decision: Decision,
    pub(crate) merged_config: Box<RawValue>,
    pub(crate) overridden: Option<Override>,
}

/// All visible modules are read even for one: what it needs decides about it.
macro_rules! org_modules_statement {
    () => {
        "select module.module_name, module.display_name, module.description, module.module_type, module.version,
          module.is_enabled, module.is_installed, module.dependencies, module.required_permissions, module.config,
          case when override.org_id is not null then to_jsonb(override) end as overridden
        from public.platform_module_registry module
        left join public.platform_module_override override
          on override.module_name = module.module_name and override.org_id = (select module_mgmt.get_current_org_id())
        where module.deleted_at is null order by module.module_name"
    };
}

/// The modules that the caller may see, as they are for the caller's organisation; of one module only, if it is named.
pub(crate) async fn list_org_modules(
    database: &Database,
    caller: &Caller,
    only: Option<&ModuleName>,
) -> Result<Vec<OrgModuleRow>> {
    let statement = concat!("-- list_org_modules\n", org_modules_statement!());
    org_modules(database.read_as(caller, statement, &[]).await?, only)
}

/// The same inside a transaction.
pub(crate) async fn read_org_module(tx: &Transaction, name: &ModuleName) -> Result<Option<OrgModuleRow>> {
    let statement = concat!("-- read_org_module\n", org_modules_statement!());
    let rows = tx.read(statement, &[]).await?;
    Ok(org_modules(rows, Some(name))?.into_iter().next())
}

#[derive(Deserialize)]
struct Row {
    module_name: String,
    display_name: String,
    description: Option<String>,
    module_type: ModuleType,
    version: String,
    is_enabled: bool,
    is_installed: bool,
    dependencies: Vec<String>,
    required_permissions: Vec<String>,
    config: Box<RawValue>,
    overridden: Option<Override>,
}

fn org_modules(rows: Vec<Row>, only: Option<&ModuleName>) -> Result<Vec<OrgModuleRow>> {
    let facts: Vec<ModuleFacts<'_>> = rows.iter().map(Row::facts).collect();
    let decided = decide_all(&facts, &Permissions::All);
    let wanted = |row: &Row| only.is_none_or(|only| only.as_str() == row.module_name);
    let rows = rows.into_iter().zip(decided).filter(|(row, _)| wanted(row));
    rows.map(|(row, decision)| row.decided(decision)).collect()
}

impl Row {
    fn facts(&self) -> ModuleFacts<'_> {
        ModuleFacts {
            name: &self.module_name,
            is_enabled: self.is_enabled,
            is_installed: self.is_installed,
            org_on: self.overridden.as_ref().is_none_or(|row| row.is_enabled),
            dependencies: &self.dependencies,
            required_permissions: &self.required_permissions,
        }
    }

    fn decided(self, decision: Decision) -> Result<OrgModuleRow> {
        let own = self.overridden.as_ref().and_then(|row| row.config.as_deref());
        let merged_config = merged(&self.config, own)
            .map_err(|error| Error::Internal(format!("the config of {}: {error}", self.module_name)))?;
        Ok(OrgModuleRow {
            module_name: self.module_name,
            display_name: self.display_name,
            description: self.description,
            module_type: self.module_type,
            version: self.version,
            decision,
            merged_config,
            overridden: self.overridden,
        })
    }
}

/// An organisation's own config of a module.
#[derive(Debug, Deserialize)]
pub(crate) struct OwnConfig {
    pub(crate) org_id: String,
    pub(crate) config: Box<RawValue>,
}

/// Sorted by organisation.
pub(crate) async fn read_own_configs(tx: &Transaction, name: &ModuleName) -> Result<Vec<OwnConfig>> {
    let statement = "-- read_own_configs
        select org_id, config from public.platform_module_override
        where module_name = $1 and config is not null order by org_id";
    tx.read(statement, params![name.as_str()]).await
}

/// What a PUT of an override is checked against; the override is locked against other writers.
#[derive(Debug, Deserialize)]
pub(crate) struct OverrideContext {
    pub(crate) module_type: ModuleType,
    pub(crate) config: Box<RawValue>,
    pub(crate) config_schema: Option<Box<RawValue>>,
}

/// `None`: there is no such module that the caller may see.
pub(crate) async fn read_override_context(tx: &Transaction, name: &ModuleName) -> Result<Option<OverrideContext>> {
    let statement = "-- read_override_context
        select module_type, config, config_schema from public.platform_module_registry
        where module_name = $1 and deleted_at is null";
    tx.read_opt(statement, params![name.as_str()]).await
}

/// Locks the override and reads it.
pub(crate) async fn lock_override(tx: &Transaction, org_id: &str, name: &ModuleName) -> Result<Option<Override>> {
    let statement = "-- lock_override
        select * from public.platform_module_override where org_id = $1 and module_name = $2 for update";
    tx.read_opt(statement, params![org_id, name.as_str()]).await
}

/// Makes the override, or changes it: false when another request has made it meanwhile.
pub(crate) async fn write_override(
    tx: &Transaction,
    org_id: &str,
    name: &ModuleName,
    (is_enabled, config): (bool, Option<&RawValue>),
    is_new: bool,
) -> Result<bool> {
    let config = config.map(RawValue::get);
    let statement = if is_new {
        "-- write_override
        insert into public.platform_module_override (org_id, module_name, is_enabled, config) values ($1, $2, $3, $4::jsonb)
        on conflict do nothing"
    } else {
        "-- write_override
        update public.platform_module_override set is_enabled = $3, config = $4::jsonb where org_id = $1 and module_name = $2"
    };
    Ok(tx.execute(statement, params![org_id, name.as_str(), is_enabled, config]).await? == 1)
}

pub(crate) async fn delete_override(tx: &Transaction, org_id: &str, name: &ModuleName) -> Result<()> {
    let statement = "-- delete_override
        delete from public.platform_module_override where org_id = $1 and module_name = $2";
    tx.execute_one(statement, params![org_id, name.as_str()]).await
}
