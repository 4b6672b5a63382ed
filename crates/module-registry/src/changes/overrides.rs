//! Changes of an organisation's overrides.

use mgmt_common::db::{Database, Transaction};
use mgmt_common::modules::name::ModuleName;
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::etag::IfMatch;
use module_mgmt_protocol::caller::Caller;
use module_mgmt_protocol::field_error::FieldError;
use module_mgmt_protocol::state::ModuleType;
use scoped_futures::ScopedFutureExt as _;
use serde_json::value::RawValue;

use super::stale;
use crate::definition::module::RegisteredModule;
use crate::definition::override_change::{Override, OverrideChange};
use crate::definition::settings::{faults, is_object, merged};
use crate::store::graph::hold_registry;
use crate::store::overrides::{self as store, OrgModuleRow, OverrideContext, OwnConfig};

/// Makes or changes the override of the caller's organisation; whether it is new, and the module as it is then.
pub(crate) async fn put(
    database: &Database,
    caller: &Caller,
    name: &ModuleName,
    body: &OverrideChange,
    force: bool,
    if_match: &IfMatch,
) -> Result<(bool, OrgModuleRow)> {
    database
        .run_as(caller, |tx| {
            async move {
                // The module must not be deleted, nor its schema changed, between this look and the commit.
                hold_registry(tx).await?;
                let context = store::read_override_context(tx, name).await?.ok_or(Error::NotFound)?;
                let old = locked(tx, caller, name, if_match).await?;
                let is_enabled = body.is_enabled.or(old.as_ref().map(|old| old.is_enabled)).unwrap_or(true);
                let config = match &body.config {
                    Some(sent) => sent.as_deref(),
                    None => old.as_ref().and_then(|old| old.config.as_deref()),
                };
                let goes_off = !is_enabled && old.as_ref().is_none_or(|old| old.is_enabled);
                if goes_off && context.module_type == ModuleType::Core && !force {
                    let detail = format!("{name} is of the core; switching it off takes force");
                    return Err(Error::conflict("core_module", detail));
                }
                check(&context, config)?;
                if !store::write_override(tx, &caller.org_id, name, (is_enabled, config), old.is_none()).await? {
                    let detail = "another request has made this override at the same time; read it and send this again";
                    return Err(Error::conflict("override_exists", detail));
                }
                let row = store::read_org_module(tx, name).await?.ok_or(Error::NotFound)?;
                Ok((old.is_none(), row))
            }
            .scope_boxed()
        })
        .await
}

/// Removes the override of the caller's organisation.
pub(crate) async fn remove(database: &Database, caller: &Caller, name: &ModuleName, if_match: &IfMatch) -> Result<()> {
    database
        .run_as(caller, |tx| {
            async move {
                store::read_override_context(tx, name).await?.ok_or(Error::NotFound)?;
                locked(tx, caller, name, if_match).await?.ok_or(Error::NotFound)?;
                Ok(store::delete_override(tx, &caller.org_id, name).await?)
            }
            .scope_boxed()
        })
        .await
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
fn check(context: &OverrideContext, config: Option<&RawValue>) -> Result<()> {
    let Some(config) = config else { return Ok(()) };
    if !is_object(config) {
        return Err(Error::invalid("/config", "must be an object"));
    }
    let merged = merged(&context.config, Some(config));
    let merged = merged.map_err(|error| Error::Internal(format!("merging a config: {error}")))?;
    // Faults of the schema itself are the platform's matter.
    let mut errors = faults(&merged, context.config_schema.as_deref(), "/config");
    errors.retain(|error: &FieldError| error.pointer.starts_with("/config/") || error.pointer == "/config");
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

/// A new config or schema of the platform must leave what organisations have merged over it valid.
pub(super) async fn keep_overrides_valid(tx: &Transaction, name: &ModuleName, row: &RegisteredModule) -> Result<()> {
    let mut broken = Vec::new();
    for OwnConfig { org_id, config: own } in store::read_own_configs(tx, name).await? {
        let merged = merged(&row.config, Some(&own));
        let merged = merged.map_err(|error| Error::Internal(format!("merging a config: {error}")))?;
        if !faults(&merged, row.config_schema.as_deref(), "/config").is_empty() {
            broken.push(org_id);
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    let detail = format!("the configs of {} organisations would no longer be valid", broken.len());
    let more = serde_json::Map::from_iter([("organisations".to_owned(), broken.into())]);
    Err(Error::Conflict { code: "breaks_overrides", detail, more })
}
