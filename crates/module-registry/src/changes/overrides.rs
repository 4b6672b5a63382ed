//! Changes of an organisation's overrides.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mgmt_common::db::{Database, PageLimits, Transaction};
use mgmt_common::json::number::written_out_bytes;
use mgmt_common::modules::name::ModuleName;
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::etag::IfMatch;
use mgmt_common::work::aside;
use module_mgmt_protocol::caller::Caller;
use module_mgmt_protocol::field_error::FieldError;
use module_mgmt_protocol::state::ModuleType;
use scoped_futures::ScopedFutureExt as _;
use serde_json::value::RawValue;

use super::stale;
use crate::State;
use crate::definition::MAX_CONFIG_BYTES;
use crate::definition::module::RegisteredModule;
use crate::definition::override_change::{Override, OverrideChange, UnfitOverride, UnfitOverrides};
use crate::definition::settings::{is_object, merged, stored_schema};
use crate::store::graph::hold_module;
use crate::store::overrides::{self as store, OrgModuleRow, OverrideContext, OwnConfig, count_write};

/// Makes or changes the override of the caller's organisation; whether it is new, and the module as it is then.
pub(crate) async fn put(
    state: &State,
    caller: &Caller,
    name: &ModuleName,
    body: &OverrideChange,
    force: bool,
    if_match: &IfMatch,
) -> Result<(bool, OrgModuleRow)> {
    let database = &state.database;
    // Checked before anything is locked. Where the module changes at the same moment, the override counts as one that no longer fits.
    let context = store::read_override_context(database, caller, name).await?.ok_or(Error::NotFound)?;
    let module_type = context.module_type;
    if let Some(Some(config)) = body.config.clone() {
        aside(move || check(&context, &config)).await?;
    }
    let is_new = database
        .run_as(caller, |tx| {
            async move {
                brake(tx, caller, state.overrides_per_minute).await?;
                // The module must not be deleted between this look and the commit.
                if !hold_module(tx, name).await? {
                    return Err(Error::NotFound);
                }
                let old = locked(tx, caller, name, if_match).await?;
                let is_enabled = body.is_enabled.or(old.as_ref().map(|old| old.is_enabled)).unwrap_or(true);
                let config = match &body.config {
                    Some(sent) => sent.as_deref(),
                    None => old.as_ref().and_then(|old| old.config.as_deref()),
                };
                let goes_off = !is_enabled && old.as_ref().is_none_or(|old| old.is_enabled);
                if goes_off && module_type == ModuleType::Core && !force {
                    let detail = format!("{name} is of the core; switching it off takes force");
                    return Err(Error::conflict("core_module", detail));
                }
                if !store::write_override(tx, &caller.org_id, name, (is_enabled, config), old.is_none()).await? {
                    let detail = "another request has made this override at the same time; read it and send this again";
                    return Err(Error::conflict("override_exists", detail));
                }
                count_write(tx).await?;
                Ok(old.is_none())
            }
            .scope_boxed()
        })
        .await?;
    let row = store::get_org_module(database, caller, name).await?.ok_or(Error::NotFound)?;
    Ok((is_new, row))
}

/// Removes the override of the caller's organisation.
pub(crate) async fn remove(state: &State, caller: &Caller, name: &ModuleName, if_match: &IfMatch) -> Result<()> {
    let database = &state.database;
    store::read_override_context(database, caller, name).await?.ok_or(Error::NotFound)?;
    database
        .run_as(caller, |tx| {
            async move {
                brake(tx, caller, state.overrides_per_minute).await?;
                locked(tx, caller, name, if_match).await?.ok_or(Error::NotFound)?;
                store::delete_override(tx, &caller.org_id, name).await?;
                Ok(count_write(tx).await?)
            }
            .scope_boxed()
        })
        .await
}

/// One organisation's admins must not keep the registry and its audit busy. Platform admins help many.
async fn brake(tx: &Transaction, caller: &Caller, most: i32) -> Result<()> {
    if caller.is_platform_admin { Ok(()) } else { Ok(store::brake(tx, most).await?) }
}

async fn locked(tx: &Transaction, caller: &Caller, name: &ModuleName, if_match: &IfMatch) -> Result<Option<Override>> {
    let old = store::lock_override(tx, &caller.org_id, name).await?;
    let version = old.as_ref().map(|old| old.row_version);
    if if_match.allows(version) {
        return Ok(old);
    }
    Err(stale(tx, name, Some(&caller.org_id), if_match, version).await?)
}

/// The organisation's own config is an object, and what it makes of the platform's is valid.
fn check(context: &OverrideContext, config: &RawValue) -> Result<()> {
    if written_out_bytes(config.get()) > MAX_CONFIG_BYTES {
        return Err(Error::invalid("/config", format!("must have at most {MAX_CONFIG_BYTES} bytes")));
    }
    if !is_object(config) {
        return Err(Error::invalid("/config", "must be an object"));
    }
    let merged = merged(&context.config, Some(config));
    let merged = merged.map_err(|error| Error::Internal(format!("merging a config: {error}")))?;
    let schema = stored_schema(context.config_schema.as_deref());
    let errors = schema.map(|schema| schema.faults(&merged)).unwrap_or_default();
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

/// How long the platform waits to be told which overrides no longer fit. They are found at every read besides.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many of them are told by name.
const NAMED: usize = 100;
/// Overrides that are looked at before the loop goes on.
const AT_ONCE: u16 = 20;

/// Which organisations' configs are no longer applied, because merged over the module's they are not valid.
///
/// # Errors
/// What the database said.
pub(crate) async fn unfit(database: &Database, caller: &Caller, module: &RegisteredModule) -> Result<UnfitOverrides> {
    let mut unfit = UnfitOverrides { count: 0, is_complete: true, first: Vec::new() };
    let name = ModuleName::parse(&module.name).map_err(Error::Internal)?;
    let Some(schema) = stored_schema(module.config_schema.as_deref()).map(Arc::new) else { return Ok(unfit) };
    let (started, mut after) = (Instant::now(), None::<String>);
    loop {
        let page =
            store::list_own_configs(database, caller, &name, after.as_deref(), PageLimits::rows(AT_ONCE)).await?;
        after = page.rows.last().map(|row| row.org_id.clone());
        let (config, schema) = (module.config.clone(), Arc::clone(&schema));
        let found: Vec<UnfitOverride> = aside(move || {
            let misfit = |OwnConfig { org_id, config: own }| {
                let FieldError { pointer, message } =
                    schema.faults(&merged(&config, Some(&own)).ok()?).into_iter().next()?;
                Some(UnfitOverride { org_id, pointer, message })
            };
            Ok::<_, Error>(page.rows.into_iter().filter_map(misfit).collect())
        })
        .await?;
        unfit.count += found.len();
        let room = NAMED.saturating_sub(unfit.first.len());
        unfit.first.extend(found.into_iter().take(room));
        if !page.has_more {
            return Ok(unfit);
        }
        if started.elapsed() > PATIENCE {
            unfit.is_complete = false;
            return Ok(unfit);
        }
    }
}
