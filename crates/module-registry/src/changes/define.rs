//! Registering, redefining and deleting modules.

use mgmt_common::db::{Database, Transaction};
use mgmt_common::modules::fault::Fault;
use mgmt_common::modules::name::ModuleName;
use mgmt_common::modules::plan;
use mgmt_common::schedule::functions::parse_list;
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::etag::IfMatch;
use mgmt_common::work::aside;
use module_mgmt_protocol::caller::Caller;
use module_mgmt_protocol::field_error::FieldError;
use scoped_futures::ScopedFutureExt as _;
use serde_json::{Map, Value};

use super::{current, refused};
use crate::State;
use crate::definition::module::RegisteredModule;
use crate::definition::module_change::ModuleChange;
use crate::definition::{Definition, check};
use crate::store::graph::{graph, lock_registry, read_graph};
use crate::store::modules as store;

/// Registers a module.
pub(crate) async fn register(state: &State, caller: &Caller, body: &ModuleChange) -> Result<RegisteredModule> {
    let name = match &body.name {
        None => Err("is needed".to_owned()),
        Some(name) => ModuleName::parse(name),
    };
    let name = &name.map_err(|message| Error::invalid("/name", message))?;
    let mut definition = checked(state, body.over(&RegisteredModule::new(name.as_str()))).await?;
    definition.row.is_enabled = body.is_enabled.unwrap_or(false);
    let definition = &definition;
    state
        .database
        .run_as(caller, |tx| {
            async move {
                lock_registry(tx).await?;
                let mut graph = graph(&read_graph(tx).await?)?;
                if graph.get(name).is_some() {
                    return Err(already_registered(name));
                }
                graph.put(definition.module.clone());
                sound(&graph.faults(&definition.module))?;
                if definition.row.is_enabled {
                    let plan = plan::enable(&graph, name, false);
                    refused(&plan.refusals, Map::new()).map_or(Ok(()), Err)?;
                }
                if !store::insert_module(tx, &definition.row).await? {
                    return Err(already_registered(name));
                }
                store::read_module(tx, name).await?.ok_or(Error::NotFound)
            }
            .scope_boxed()
        })
        .await
}

/// How often a change is checked anew because the module has changed while it was checked.
const ATTEMPTS: u8 = 5;

/// Replaces the fields that are sent. An enabled module keeps what it needs, and so do the modules that need it.
pub(crate) async fn change(
    state: &State,
    caller: &Caller,
    name: &ModuleName,
    body: &ModuleChange,
    if_match: &IfMatch,
) -> Result<RegisteredModule> {
    for _ in 0..ATTEMPTS {
        // Checked before anything is locked, against the module as it is now.
        let stored = store::get_module(&state.database, caller, name).await?.ok_or(Error::NotFound)?;
        let seen = stored.row_version;
        let definition = if if_match.allows(Some(seen)) {
            keeps_identity(&stored, body)?;
            Some(checked(state, body.over(&stored)).await?)
        } else {
            None
        };
        let definition = &definition;
        let changed =
            state.database.run_as(caller, |tx| write(tx, name, definition.as_ref(), seen, if_match).scope_boxed());
        if let Some(changed) = changed.await? {
            return Ok(changed);
        }
    }
    Err(Error::conflict("changed_meanwhile", "others kept changing this module; read it and send this again"))
}

/// `None`: the module is no longer the one for which this was checked.
async fn write(
    tx: &Transaction,
    name: &ModuleName,
    definition: Option<&Definition>,
    seen: i64,
    if_match: &IfMatch,
) -> Result<Option<RegisteredModule>> {
    lock_registry(tx).await?;
    let stored = current(tx, name, if_match).await?;
    let Some(definition) = definition.filter(|_| stored.row_version == seen) else { return Ok(None) };
    let (faults, refusals) = plan::redefine(&graph(&read_graph(tx).await?)?, &definition.module);
    sound(&faults)?;
    refused(&refusals, Map::new()).map_or(Ok(()), Err)?;
    store::update_module(tx, &definition.row).await?;
    store::read_module(tx, name).await?.ok_or(Error::NotFound).map(Some)
}

/// A schema may take long to evaluate.
async fn checked(state: &State, row: RegisteredModule) -> Result<Definition> {
    let boundary = state.boundary.clone();
    aside(move || {
        let definition = check(row).map_err(Error::Invalid)?;
        // What cannot be read is a fault already.
        let functions = parse_list(&Value::Array(definition.row.functions.clone()), "/functions").unwrap_or_default();
        let faults = boundary.faults(&functions, "/functions");
        if faults.is_empty() { Ok(definition) } else { Err(Error::Invalid(faults)) }
    })
    .await
}

/// Deletes a module that no other names.
pub(crate) async fn delete(
    database: &Database,
    caller: &Caller,
    name: &ModuleName,
    force: bool,
    if_match: &IfMatch,
) -> Result<()> {
    database
        .run_as(caller, |tx| {
            async move {
                lock_registry(tx).await?;
                current(tx, name, if_match).await?;
                let refusals = plan::delete(&graph(&read_graph(tx).await?)?, name, force);
                refused(&refusals, Map::new()).map_or(Ok(()), Err)?;
                Ok(store::delete_module(tx, name).await?)
            }
            .scope_boxed()
        })
        .await
}

fn already_registered(name: &ModuleName) -> Error {
    Error::conflict("module_exists", format!("{name} is registered already"))
}

fn sound(faults: &[Fault]) -> Result<()> {
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults.iter().map(FieldError::from).collect())) }
}

/// What PUT cannot change may be sent as it is.
fn keeps_identity(stored: &RegisteredModule, body: &ModuleChange) -> Result<()> {
    let mut errors = Vec::new();
    if body.name.as_ref().is_some_and(|name| *name != stored.name) {
        errors.push(FieldError::new("/name", "a module keeps its name; it must be the name in the path"));
    }
    if body.is_enabled.is_some_and(|is_enabled| is_enabled != stored.is_enabled) {
        errors.push(FieldError::new("/isEnabled", "is changed by POST to /enable or /disable only"));
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}
