//! Overrides of organisations, beside the modules that they are of.

use jiff::Timestamp;
use mgmt_common::caller::Caller;
use mgmt_common::db::{Database, Parameter, Transaction};
use mgmt_common::error::{Error, Result};
use mgmt_common::modules::decision::{Decision, Permissions};
use mgmt_common::modules::name::ModuleName;
use mgmt_common::modules::standing::{Entry, decisions};
use mgmt_common::modules::state::ModuleType;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio_postgres::types::Type;

use super::read_rows;
use crate::definition::settings::merged;

/// What an organisation has of its own.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct OverrideRow {
    pub(crate) is_enabled: bool,
    pub(crate) config: Option<Box<RawValue>>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) created_by: Option<String>,
    pub(crate) updated_by: Option<String>,
    pub(crate) row_version: i64,
}

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
    pub(crate) overridden: Option<OverrideRow>,
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
    let statement = concat!(
        "-- list_org_modules
",
        org_modules_statement!()
    );
    org_modules(database.read_as(caller, statement, &[]).await?, only)
}

/// The same inside a transaction.
pub(crate) async fn read_org_module(tx: &Transaction, name: &ModuleName) -> Result<Option<OrgModuleRow>> {
    let statement = concat!(
        "-- read_org_module
select row_to_json(answer)::text from (",
        org_modules_statement!(),
        ") answer"
    );
    let rows = read_rows("read_org_module", &tx.query(statement, &[]).await?)?;
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
    overridden: Option<OverrideRow>,
}

fn org_modules(rows: Vec<Row>, only: Option<&ModuleName>) -> Result<Vec<OrgModuleRow>> {
    let entries: Vec<Entry<'_>> = rows.iter().map(Row::entry).collect();
    let decided = decisions(&entries, &Permissions::All);
    let wanted = |row: &Row| only.is_none_or(|only| only.as_str() == row.module_name);
    let rows = rows.into_iter().zip(decided).filter(|(row, _)| wanted(row));
    rows.map(|(row, decision)| row.decided(decision)).collect()
}

impl Row {
    fn entry(&self) -> Entry<'_> {
        Entry {
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

/// Every organisation's own config of a module, with the organisation.
pub(crate) async fn read_own_configs(tx: &Transaction, name: &ModuleName) -> Result<Vec<(String, Box<RawValue>)>> {
    let statement = "-- read_own_configs
        select json_build_array(org_id, config)::text from public.platform_module_override
        where module_name = $1 and config is not null order by org_id";
    read_rows("read_own_configs", &tx.query(statement, &[(&name.as_str(), Type::TEXT)]).await?)
}

/// What a PUT of an override is checked against; the override is locked against other writers.
#[derive(Debug, Deserialize)]
pub(crate) struct Basis {
    pub(crate) module_type: ModuleType,
    pub(crate) config: Box<RawValue>,
    pub(crate) config_schema: Option<Box<RawValue>>,
}

/// `None`: there is no such module that the caller may see.
pub(crate) async fn read_basis(tx: &Transaction, name: &ModuleName) -> Result<Option<Basis>> {
    let statement = "-- read_basis
        select row_to_json(answer)::text from (
          select module_type, config, config_schema from public.platform_module_registry
          where module_name = $1 and deleted_at is null) answer";
    let rows = tx.query(statement, &[(&name.as_str(), Type::TEXT)]).await?;
    Ok(read_rows("read_basis", &rows)?.into_iter().next())
}

/// Locks the override and reads it.
pub(crate) async fn lock_override(tx: &Transaction, org_id: &str, name: &ModuleName) -> Result<Option<OverrideRow>> {
    let statement = "-- lock_override
        select to_jsonb(override)::text from public.platform_module_override override
        where org_id = $1 and module_name = $2 for update";
    let rows = tx.query(statement, &[(&org_id, Type::TEXT), (&name.as_str(), Type::TEXT)]).await?;
    Ok(read_rows("lock_override", &rows)?.into_iter().next())
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
    let parameters: [Parameter<'_>; 4] =
        [(&org_id, Type::TEXT), (&name.as_str(), Type::TEXT), (&is_enabled, Type::BOOL), (&config, Type::TEXT)];
    let statement = if is_new {
        "-- write_override
        insert into public.platform_module_override (org_id, module_name, is_enabled, config) values ($1, $2, $3, $4::jsonb)
        on conflict do nothing"
    } else {
        "-- write_override
        update public.platform_module_override set is_enabled = $3, config = $4::jsonb where org_id = $1 and module_name = $2"
    };
    Ok(tx.execute(statement, &parameters).await? == 1)
}

pub(crate) async fn delete_override(tx: &Transaction, org_id: &str, name: &ModuleName) -> Result<()> {
    let statement = "-- delete_override
        delete from public.platform_module_override where org_id = $1 and module_name = $2";
    let removed = tx.execute(statement, &[(&org_id, Type::TEXT), (&name.as_str(), Type::TEXT)]).await?;
    if removed == 1 { Ok(()) } else { Err(Error::NotFound) }
}
