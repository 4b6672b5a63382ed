//! Overrides of organisations, beside the modules that they are of. An override that no longer fits its module is kept, told, and not applied.

use mgmt_common::db::{Database, Error, Page, PageLimits, Result, Transaction};
use mgmt_common::modules::name::ModuleName;
use mgmt_common::params;
use mgmt_common::work::aside;
use module_mgmt_protocol::caller::Caller;
use module_mgmt_protocol::decision::{Decision, Permissions};
use module_mgmt_protocol::effective::{ModuleFacts, decide_all};
use module_mgmt_protocol::field_error::FieldError;
use module_mgmt_protocol::state::ModuleType;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::definition::override_change::Override;
use crate::definition::settings::{merged, stored_schema};

/// A module as the organisation has it.
#[derive(Debug)]
pub(crate) struct OrgModuleRow {
    pub(crate) module_name: String,
    pub(crate) display_name: String,
    pub(crate) description: Option<String>,
    pub(crate) module_type: ModuleType,
    pub(crate) version: String,
    pub(crate) decision: Decision,
    /// The platform's, with the organisation's over it where that fits.
    pub(crate) config: Box<RawValue>,
    pub(crate) overridden: Option<Override>,
    /// Why the organisation's own config is not applied: merged, it would not be valid by the module's schema.
    pub(crate) misfit: Option<FieldError>,
}

/// All visible modules are read even for a few: what they need decides about them. What is free JSON comes only for those on the page.
macro_rules! org_modules_statement {
    ($on_page:literal) => {
        concat!(
            "select module_name, display_name, description, module_type, version, is_enabled, is_installed, dependencies,
          required_permissions, on_page, case when on_page then config end as config,
          case when on_page and overridden -> 'config' <> 'null' then config_schema end as config_schema,
          case when on_page then overridden else overridden - 'config' end as overridden
        from (
          select module.*, case when override.org_id is not null then to_jsonb(override) end as overridden, ",
            $on_page,
            " as on_page
          from public.platform_module_registry module
          left join public.platform_module_override override
            on override.module_name = module.module_name and override.org_id = (select module_mgmt.get_current_org_id())
          where module.deleted_at is null
          window rest as (partition by module.module_name collate \"C\" > coalesce(($1)[1], '') order by module.module_name collate \"C\")
        ) module order by module_name collate \"C\""
        )
    };
}

/// The modules behind a name that the caller may see, as they are for the caller's organisation.
pub(crate) async fn list_org_modules(
    database: &Database,
    caller: &Caller,
    after: Option<&str>,
    most: PageLimits,
) -> Result<Page<OrgModuleRow>> {
    let statement = concat!(
        "-- list_org_modules\n",
        org_modules_statement!(
            "module.module_name collate \"C\" > coalesce(($1)[1], '') and row_number() over rest <= ($1)[2]::int
              and (row_number() over rest = 1 or sum(octet_length(module.config::text) + coalesce(octet_length(override.config::text), 0) * 2
                + octet_length(coalesce(module.description, '')) + 1000) over rest <= ($1)[3]::bigint)"
        )
    );
    let (rows, bytes) = (most.rows.to_string(), most.bytes.to_string());
    let rows: Vec<Row> = database.read_as(caller, statement, &[after, Some(&rows), Some(&bytes)]).await?;
    let has_more =
        rows.last().is_some_and(|last| !last.on_page && after.is_none_or(|after| last.module_name.as_str() > after));
    Ok(Page { rows: org_modules(rows).await?, has_more })
}

/// One module as it is for the caller's organisation; `None` where the caller may not see it.
pub(crate) async fn get_org_module(
    database: &Database,
    caller: &Caller,
    name: &ModuleName,
) -> Result<Option<OrgModuleRow>> {
    let statement = concat!("-- get_org_module\n", org_modules_statement!("module.module_name = ($1)[1]"));
    Ok(org_modules(database.read_as(caller, statement, &[Some(name.as_str())]).await?).await?.pop())
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
    on_page: bool,
    config: Option<Box<RawValue>>,
    config_schema: Option<Box<RawValue>>,
    overridden: Option<Override>,
}

/// Those on the page. Schemas are evaluated beside the event loop.
async fn org_modules(rows: Vec<Row>) -> Result<Vec<OrgModuleRow>> {
    aside(move || {
        let facts: Vec<ModuleFacts<'_>> = rows.iter().map(Row::facts).collect();
        let decided = decide_all(&facts, &Permissions::All);
        let on_page = rows.into_iter().zip(decided).filter(|(row, _)| row.on_page);
        on_page.map(|(row, decision)| row.decided(decision)).collect()
    })
    .await
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
        let base = self.config.unwrap_or_default();
        let (config, misfit) = match own {
            None => (base, None),
            Some(own) => {
                let merged = merged(&base, Some(own))
                    .map_err(|error| Error::Internal(format!("the config of {}: {error}", self.module_name)))?;
                let schema = stored_schema(self.config_schema.as_deref());
                match schema.and_then(|schema| schema.faults(&merged).into_iter().next()) {
                    None => (merged, None),
                    misfit => (base, misfit),
                }
            }
        };
        Ok(OrgModuleRow {
            module_name: self.module_name,
            display_name: self.display_name,
            description: self.description,
            module_type: self.module_type,
            version: self.version,
            decision,
            config,
            overridden: self.overridden,
            misfit,
        })
    }
}

/// An organisation's own config of a module.
#[derive(Debug, Deserialize)]
pub(crate) struct OwnConfig {
    pub(crate) org_id: String,
    pub(crate) config: Box<RawValue>,
}

/// Sorted by organisation, behind one of them.
pub(crate) async fn list_own_configs(
    database: &Database,
    caller: &Caller,
    name: &ModuleName,
    after: Option<&str>,
    most: PageLimits,
) -> Result<Page<OwnConfig>> {
    let statement = "-- list_own_configs
        select org_id, config from public.platform_module_override
        where module_name = ($1)[1] and config is not null and org_id collate \"C\" > coalesce(($1)[2], '')
        order by org_id collate \"C\"";
    database.read_page_as(caller, statement, &[Some(name.as_str()), after], most).await
}

/// What a PUT of an override is checked against.
#[derive(Debug, Deserialize)]
pub(crate) struct OverrideContext {
    pub(crate) module_type: ModuleType,
    pub(crate) config: Box<RawValue>,
    pub(crate) config_schema: Option<Box<RawValue>>,
}

/// `None`: there is no such module that the caller may see.
pub(crate) async fn read_override_context(
    database: &Database,
    caller: &Caller,
    name: &ModuleName,
) -> Result<Option<OverrideContext>> {
    let statement = "-- read_override_context
        select module_type, config, config_schema from public.platform_module_registry
        where module_name = ($1)[1] and deleted_at is null";
    Ok(database.read_as(caller, statement, &[Some(name.as_str())]).await?.into_iter().next())
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

/// # Errors
/// [`Error::TooMany`] where the caller's organisation has written so often in this minute.
pub(crate) async fn brake(tx: &Transaction, most: i32) -> Result<()> {
    let statement = "-- brake\nselect module_mgmt.brake(of_kind => 'override', most => $1)";
    tx.execute(statement, params![most]).await.map(drop)
}

/// Counts a write for the brake.
pub(crate) async fn count_write(tx: &Transaction) -> Result<()> {
    tx.execute("-- count_write\nselect module_mgmt.count_rate(of_kind => 'override', more => 1)", &[]).await.map(drop)
}
