//! Modules, whole.

use jiff::Timestamp;
use mgmt_common::caller::Caller;
use mgmt_common::db::{Database, Parameter, Transaction};
use mgmt_common::error::{Error, Result};
use mgmt_common::modules::name::ModuleName;
use mgmt_common::modules::state::ModuleType;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio_postgres::types::Type;

use super::read_rows;

/// A module as it is stored.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ModuleRow {
    pub(crate) module_name: String,
    pub(crate) display_name: String,
    pub(crate) description: Option<String>,
    pub(crate) module_type: ModuleType,
    pub(crate) tier: u8,
    pub(crate) is_enabled: bool,
    pub(crate) is_installed: bool,
    pub(crate) version: String,
    pub(crate) min_compatible_version: Option<String>,
    pub(crate) config: Box<RawValue>,
    pub(crate) config_schema: Option<Box<RawValue>>,
    pub(crate) feature_flags: Box<RawValue>,
    pub(crate) dependencies: Vec<String>,
    /// As it is stored, readable or not: what was edited by hand can still be mended through the API.
    pub(crate) nav_config: Option<Value>,
    pub(crate) required_permissions: Vec<String>,
    pub(crate) functions: Vec<Value>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) created_by: Option<String>,
    pub(crate) updated_by: Option<String>,
    pub(crate) disabled_at: Option<Timestamp>,
    pub(crate) row_version: i64,
}

impl ModuleRow {
    /// What a module is before anything is said about it.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            module_name: name.to_owned(),
            display_name: name.to_owned(),
            description: None,
            module_type: ModuleType::Functional,
            tier: 3,
            is_enabled: false,
            is_installed: true,
            version: "1.0.0".to_owned(),
            min_compatible_version: None,
            config: empty_object(),
            config_schema: None,
            feature_flags: empty_object(),
            dependencies: Vec::new(),
            nav_config: None,
            required_permissions: Vec::new(),
            functions: Vec::new(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            created_by: None,
            updated_by: None,
            disabled_at: None,
            row_version: 0,
        }
    }
}

fn empty_object() -> Box<RawValue> {
    RawValue::from_string("{}".to_owned()).unwrap_or_default()
}

/// What a list asks for.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) module_type: Option<ModuleType>,
    pub(crate) is_enabled: Option<bool>,
}

pub(crate) const LIST_MODULES: &str = "-- list_modules
        select * from public.platform_module_registry
        where deleted_at is null and module_type = coalesce(($1)[1], module_type)
          and is_enabled = coalesce(($1)[2]::boolean, is_enabled)
        order by module_name";

/// Sorted by name.
pub(crate) async fn list_modules(database: &Database, caller: &Caller, filter: &Filter) -> Result<Vec<ModuleRow>> {
    let is_enabled = filter.is_enabled.map(|value| if value { "true" } else { "false" });
    database.read_as(caller, LIST_MODULES, &[filter.module_type.map(ModuleType::as_str), is_enabled]).await
}

pub(crate) async fn get_module(database: &Database, caller: &Caller, name: &ModuleName) -> Result<Option<ModuleRow>> {
    let statement = "-- get_module
        select * from public.platform_module_registry where deleted_at is null and module_name = ($1)[1]";
    Ok(database.read_as(caller, statement, &[Some(name.as_str())]).await?.into_iter().next())
}

/// The module inside a transaction.
pub(crate) async fn read_module(tx: &Transaction, name: &ModuleName) -> Result<Option<ModuleRow>> {
    let statement = "-- read_module
        select row_to_json(module)::text from public.platform_module_registry module
        where deleted_at is null and module_name = $1";
    let rows = tx.query(statement, &[(&name.as_str(), Type::TEXT)]).await?;
    Ok(read_rows("read_module", &rows)?.into_iter().next())
}

/// Registers a module whose name is free, or that of a deleted one.
pub(crate) async fn insert_module(tx: &Transaction, row: &ModuleRow) -> Result<()> {
    let statement = "-- insert_module
        insert into public.platform_module_registry as module (module_name, display_name, description, module_type, tier,
          is_enabled, is_installed, version, min_compatible_version, config, config_schema, feature_flags, dependencies,
          nav_config, required_permissions, functions)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11::jsonb, $12::jsonb, $13, $14::jsonb, $15, $16::jsonb)
        on conflict (module_name) do update set
          display_name = excluded.display_name, description = excluded.description, module_type = excluded.module_type,
          tier = excluded.tier, is_enabled = excluded.is_enabled, is_installed = excluded.is_installed,
          version = excluded.version, min_compatible_version = excluded.min_compatible_version, config = excluded.config,
          config_schema = excluded.config_schema, feature_flags = excluded.feature_flags,
          dependencies = excluded.dependencies, nav_config = excluded.nav_config,
          required_permissions = excluded.required_permissions, functions = excluded.functions, deleted_at = null
        where module.deleted_at is not null";
    if write(tx, statement, row).await? == 0 {
        return Err(already_registered(&row.module_name));
    }
    Ok(())
}

pub(crate) fn already_registered(name: &str) -> Error {
    Error::conflict("module_exists", format!("{name} is registered already"))
}

/// Writes a new definition; whether the module is enabled stays as it is.
pub(crate) async fn update_module(tx: &Transaction, row: &ModuleRow) -> Result<()> {
    let statement = "-- update_module
        update public.platform_module_registry set display_name = $2, description = $3, module_type = $4, tier = $5,
          is_installed = $7, version = $8, min_compatible_version = $9, config = $10::jsonb, config_schema = $11::jsonb,
          feature_flags = $12::jsonb, dependencies = $13, nav_config = $14::jsonb, required_permissions = $15,
          functions = $16::jsonb
        where module_name = $1 and deleted_at is null and is_enabled = $6";
    if write(tx, statement, row).await? == 1 { Ok(()) } else { Err(Error::NotFound) }
}

async fn write(tx: &Transaction, statement: &'static str, row: &ModuleRow) -> Result<u64> {
    let tier = i16::from(row.tier);
    let module_type = row.module_type.as_str();
    let nav_config = row.nav_config.as_ref().map(Value::to_string);
    let functions = serde_json::to_string(&row.functions);
    let functions = functions.map_err(|error| Error::Internal(format!("functions of a module: {error}")))?;
    let (config, flags) = (row.config.get(), row.feature_flags.get());
    let schema = row.config_schema.as_ref().map(|schema| schema.get());
    let parameters: [Parameter<'_>; 16] = [
        (&row.module_name, Type::TEXT),
        (&row.display_name, Type::TEXT),
        (&row.description, Type::TEXT),
        (&module_type, Type::TEXT),
        (&tier, Type::INT2),
        (&row.is_enabled, Type::BOOL),
        (&row.is_installed, Type::BOOL),
        (&row.version, Type::TEXT),
        (&row.min_compatible_version, Type::TEXT),
        (&config, Type::TEXT),
        (&schema, Type::TEXT),
        (&flags, Type::TEXT),
        (&row.dependencies, Type::TEXT_ARRAY),
        (&nav_config, Type::TEXT),
        (&row.required_permissions, Type::TEXT_ARRAY),
        (&functions, Type::TEXT),
    ];
    tx.execute(statement, &parameters).await
}

/// Enables or disables modules in one statement, which leaves no enabled module without what it needs.
pub(crate) async fn switch_modules(tx: &Transaction, names: &[ModuleName], is_enabled: bool) -> Result<()> {
    let statement = "-- switch_modules
        update public.platform_module_registry set is_enabled = $2
        where module_name = any($1) and deleted_at is null and is_enabled <> $2";
    let names: Vec<&str> = names.iter().map(ModuleName::as_str).collect();
    let written = tx.execute(statement, &[(&names, Type::TEXT_ARRAY), (&is_enabled, Type::BOOL)]).await?;
    if written == names.len() as u64 { Ok(()) } else { Err(Error::NotFound) }
}

/// Marks a module as deleted and removes what organisations had overridden of it.
pub(crate) async fn delete_module(tx: &Transaction, name: &ModuleName) -> Result<()> {
    let statement = "-- delete_module
        update public.platform_module_registry set deleted_at = now(), is_enabled = false
        where module_name = $1 and deleted_at is null";
    if tx.execute(statement, &[(&name.as_str(), Type::TEXT)]).await? == 0 {
        return Err(Error::NotFound);
    }
    let statement = "-- delete_module\ndelete from public.platform_module_override where module_name = $1";
    tx.execute(statement, &[(&name.as_str(), Type::TEXT)]).await.map(drop)
}
