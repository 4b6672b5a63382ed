//! Modules, whole.

use mgmt_common::db::{Database, Error, Page, PageLimits, Result, Transaction};
use mgmt_common::modules::name::ModuleName;
use mgmt_common::params;
use module_mgmt_protocol::caller::Caller;
use module_mgmt_protocol::state::ModuleType;

use crate::definition::module::RegisteredModule;

/// What a list asks for.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) module_type: Option<ModuleType>,
    pub(crate) is_enabled: Option<bool>,
    /// The name that the page before ended with.
    pub(crate) after: Option<String>,
}

pub(crate) const LIST_MODULES: &str = "-- list_modules
        select * from public.platform_module_registry
        where deleted_at is null and module_type = coalesce(($1)[1], module_type)
          and is_enabled = coalesce(($1)[2]::boolean, is_enabled) and module_name > coalesce(($1)[3], '')
        order by module_name";

/// Sorted by name, behind that of the filter's cursor.
pub(crate) async fn list_modules(
    database: &Database,
    caller: &Caller,
    filter: &Filter,
    most: PageLimits,
) -> Result<Page<RegisteredModule>> {
    let is_enabled = filter.is_enabled.map(|value| if value { "true" } else { "false" });
    let parameters = [filter.module_type.map(ModuleType::as_str), is_enabled, filter.after.as_deref()];
    database.read_page_as(caller, LIST_MODULES, &parameters, most).await
}

pub(crate) async fn get_module(
    database: &Database,
    caller: &Caller,
    name: &ModuleName,
) -> Result<Option<RegisteredModule>> {
    let statement = "-- get_module
        select * from public.platform_module_registry where deleted_at is null and module_name = ($1)[1]";
    Ok(database.read_as(caller, statement, &[Some(name.as_str())]).await?.into_iter().next())
}

/// The module inside a transaction.
pub(crate) async fn read_module(tx: &Transaction, name: &ModuleName) -> Result<Option<RegisteredModule>> {
    let statement = "-- read_module
        select * from public.platform_module_registry where deleted_at is null and module_name = $1";
    tx.read_opt(statement, params![name.as_str()]).await
}

/// The columns of a definition. The values come as one JSON object, so that a new column is named here alone.
macro_rules! columns {
    () => {
        "display_name, description, module_type, tier, is_installed, version, min_compatible_version, config, config_schema,
          feature_flags, dependencies, nav_config, required_permissions, functions"
    };
}

/// Registers a module whose name is free, or that of a deleted one. False: there is one of this name.
pub(crate) async fn insert_module(tx: &Transaction, module: &RegisteredModule) -> Result<bool> {
    let statement = concat!(
        "-- insert_module
        insert into public.platform_module_registry as module (module_name, is_enabled, ",
        columns!(),
        ") select module_name, is_enabled, ",
        columns!(),
        " from jsonb_populate_record(null::public.platform_module_registry, $1::jsonb)
        on conflict (module_name) do update set (deleted_at, is_enabled, ",
        columns!(),
        ") = (select null::timestamptz, is_enabled, ",
        columns!(),
        " from jsonb_populate_record(null::public.platform_module_registry, $1::jsonb))
        where module.deleted_at is not null"
    );
    Ok(tx.execute(statement, params![columns(module)?]).await? == 1)
}

/// Writes a new definition; whether the module is enabled stays as it is.
pub(crate) async fn update_module(tx: &Transaction, module: &RegisteredModule) -> Result<()> {
    let statement = concat!(
        "-- update_module
        update public.platform_module_registry set (",
        columns!(),
        ") = (select ",
        columns!(),
        " from jsonb_populate_record(null::public.platform_module_registry, $3::jsonb))
        where module_name = $1 and deleted_at is null and is_enabled = $2"
    );
    tx.execute_one(statement, params![module.name, module.is_enabled, columns(module)?]).await
}

fn columns(module: &RegisteredModule) -> Result<String> {
    module.columns().map_err(|error| Error::Internal(format!("the columns of {}: {error}", module.name)))
}

/// Enables or disables modules in one statement, which leaves no enabled module without what it needs.
pub(crate) async fn switch_modules(tx: &Transaction, names: &[ModuleName], is_enabled: bool) -> Result<()> {
    let statement = "-- switch_modules
        update public.platform_module_registry set is_enabled = $2
        where module_name = any($1) and deleted_at is null and is_enabled <> $2";
    let names: Vec<&str> = names.iter().map(ModuleName::as_str).collect();
    let written = tx.execute(statement, params![names, is_enabled]).await?;
    if written == names.len() as u64 { Ok(()) } else { Err(Error::NoSuchRow) }
}

/// Marks a module as deleted and removes what organisations had overridden of it.
pub(crate) async fn delete_module(tx: &Transaction, name: &ModuleName) -> Result<()> {
    let statement = "-- delete_module
        update public.platform_module_registry set deleted_at = now(), is_enabled = false
        where module_name = $1 and deleted_at is null";
    tx.execute_one(statement, params![name.as_str()]).await?;
    let statement = "-- delete_module\ndelete from public.platform_module_override where module_name = $1";
    tx.execute(statement, params![name.as_str()]).await.map(drop)
}
