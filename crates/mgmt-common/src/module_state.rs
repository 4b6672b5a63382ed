//! Reads the state of every module for one organisation straight from Postgres, in one round trip.

use module_mgmt_protocol::caller::Caller;
use module_mgmt_protocol::decision::Permissions;
use module_mgmt_protocol::effective::{ModuleFacts, decide_all};
use module_mgmt_protocol::state::{ModuleState, ModuleType, RegistryState, known_or_functional};
use serde::Deserialize;

use crate::db::{Database, Error, Result};

/// What became of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateRead {
    /// The registry still has this version, which the reader knows.
    Unchanged(String),
    Changed(RegistryState),
}

/// The state for the caller's organisation. Where the version is one of `known`, the database answers that and nothing else.
///
/// # Errors
/// [`Error::Unavailable`] when the database does not answer in time.
pub async fn read_state(database: &Database, caller: &Caller, known: &[&str]) -> Result<StateRead> {
    let statement = "-- read_state
        select registry.version, case when registry.version = any(string_to_array(($1)[1], ',')) then null
          else (select coalesce(json_agg(state), '[]') from module_mgmt.module_states() state) end as modules
        from (select module_mgmt.registry_version() as version) registry";
    let rows: Vec<StateRow> = database.read_as(caller, statement, &[Some(&known.join(","))]).await?;
    let row = rows.into_iter().next().ok_or_else(|| Error::Internal("read_state: no row".to_owned()))?;
    let Some(rows) = row.modules else { return Ok(StateRead::Unchanged(row.version)) };
    let facts: Vec<ModuleFacts<'_>> = rows.iter().map(StoredState::facts).collect();
    let decided = decide_all(&facts, &Permissions::All);
    let modules = rows.iter().zip(decided).map(|(row, decision)| ModuleState {
        name: row.name.clone(),
        module_type: row.module_type,
        enabled: decision.is_on(),
        reason: decision.reason(),
        required_permissions: row.required_permissions.clone(),
    });
    Ok(StateRead::Changed(RegistryState {
        version: row.version,
        org_id: caller.org_id.clone(),
        modules: modules.collect(),
    }))
}

#[derive(Deserialize)]
struct StateRow {
    version: String,
    modules: Option<Vec<StoredState>>,
}

#[derive(Deserialize)]
struct StoredState {
    name: String,
    #[serde(deserialize_with = "known_or_functional")]
    module_type: ModuleType,
    is_enabled: bool,
    is_installed: bool,
    org_on: bool,
    dependencies: Vec<String>,
    required_permissions: Vec<String>,
}

impl StoredState {
    fn facts(&self) -> ModuleFacts<'_> {
        ModuleFacts {
            name: &self.name,
            is_enabled: self.is_enabled,
            is_installed: self.is_installed,
            org_on: self.org_on,
            dependencies: &self.dependencies,
            required_permissions: &self.required_permissions,
        }
    }
}
