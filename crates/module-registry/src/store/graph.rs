//! The whole registry as a graph, for changes that must keep it sound.

use mgmt_common::db::{Error, Result, Transaction};
use mgmt_common::modules::graph::{Graph, Module};
use mgmt_common::modules::name::ModuleName;
use mgmt_common::modules::requirement::Requirement;
use mgmt_common::params;
use module_mgmt_protocol::state::ModuleType;
use semver::Version;
use serde::Deserialize;
use serde_json::Value;

/// A module as far as the others are concerned.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct GraphRow {
    pub(crate) module_name: String,
    pub(crate) module_type: ModuleType,
    pub(crate) tier: u8,
    pub(crate) is_enabled: bool,
    pub(crate) is_installed: bool,
    pub(crate) version: String,
    pub(crate) min_compatible_version: Option<String>,
    pub(crate) dependencies: Vec<String>,
    pub(crate) required_permissions: Vec<String>,
    pub(crate) functions: Value,
}

/// Waits until no other transaction changes the registry, so that what is read next stays true until the commit. It is the lock
/// that the table's own trigger takes.
pub(crate) async fn lock_registry(tx: &Transaction) -> Result<()> {
    let statement = "-- lock_registry
        select module_mgmt.lock_registry()";
    tx.execute(statement, &[]).await.map(drop)
}

/// Keeps a module as it is until the commit, beside others who only need that too; false where there is none.
pub(crate) async fn hold_module(tx: &Transaction, name: &ModuleName) -> Result<bool> {
    let statement = "-- hold_module
        select module_mgmt.hold_module(name => $1) as is_there";
    let held: Held = tx.read_one(statement, params![name.as_str()]).await?;
    Ok(held.is_there)
}

#[derive(Deserialize)]
struct Held {
    is_there: bool,
}

/// All registered modules, sorted by name.
pub(crate) async fn read_graph(tx: &Transaction) -> Result<Vec<GraphRow>> {
    let statement = "-- read_graph
        select module_name, module_type, tier, is_enabled, is_installed, version, min_compatible_version, dependencies,
          required_permissions, functions
        from public.platform_module_registry where deleted_at is null order by module_name";
    tx.read(statement, &[]).await
}

/// # Errors
/// [`Error::Internal`] for a row that somebody has edited by hand into something that the API refuses.
pub(crate) fn graph(rows: &[GraphRow]) -> Result<Graph> {
    let modules: Result<Vec<Module>, String> = rows.iter().map(module).collect();
    modules.map(Graph::new).map_err(Error::Internal)
}

fn module(row: &GraphRow) -> Result<Module, String> {
    let in_row = |message: String| format!("platform_module_registry, {}: {message}", row.module_name);
    let version = |text: &String| Version::parse(text).map_err(|error| in_row(format!("version {text:?}: {error}")));
    let dependencies: Result<Vec<Requirement>, String> =
        row.dependencies.iter().map(|text| Requirement::parse(text)).collect();
    Ok(Module {
        name: ModuleName::parse(&row.module_name).map_err(in_row)?,
        module_type: row.module_type,
        tier: row.tier,
        is_enabled: row.is_enabled,
        is_installed: row.is_installed,
        version: version(&row.version)?,
        min_compatible_version: row.min_compatible_version.as_ref().map(version).transpose()?,
        dependencies: dependencies.map_err(in_row)?,
    })
}
