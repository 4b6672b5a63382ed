//! Enabling and disabling modules, with what they need and what needs them.

use mgmt_common::caller::Caller;
use mgmt_common::db::{Database, Transaction};
use mgmt_common::error::{Error, Result};
use mgmt_common::etag::IfMatch;
use mgmt_common::modules::name::ModuleName;
use mgmt_common::modules::plan::{self, Plan};
use scoped_futures::ScopedFutureExt as _;

use super::{current, refused};
use crate::impact::{Action, Impact, affected};
use crate::store::graph::{graph, lock_registry, read_graph};
use crate::store::modules::{ModuleRow, read_module, switch_modules};
use crate::store::surroundings::read_surroundings;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Switch {
    pub(crate) action: Action,
    pub(crate) cascade: bool,
    pub(crate) force: bool,
    pub(crate) dry_run: bool,
    /// The plan that the caller has seen; any other is refused.
    pub(crate) plan_hash: Option<String>,
}

/// Switches a module and answers it as it is then, or with `dry_run` as it is.
///
/// # Errors
/// 409 with the impact: a rule forbids it, or the plan is no longer the one that was seen.
pub(crate) async fn switch(
    database: &Database,
    caller: &Caller,
    name: &ModuleName,
    switch: &Switch,
    if_match: &IfMatch,
) -> Result<(ModuleRow, Impact)> {
    database
        .run_as(caller, |tx| {
            async move {
                // A dry run waits too: its graph and its figures must be of one moment.
                lock_registry(tx).await?;
                let row = current(tx, name, if_match).await?;
                let (plan, impact) = look(tx, name, switch).await?;
                if switch.dry_run {
                    return Ok((row, impact));
                }
                if switch.plan_hash.as_ref().is_some_and(|seen| seen != impact.plan_hash()) {
                    let detail = "this would no longer do what the plan said; look at the impact again".to_owned();
                    return Err(Error::Conflict { code: "plan_changed", detail, more: impact.members() });
                }
                refused(&plan.refusals, impact.members()).map_or(Ok(()), Err)?;
                if plan.changes.is_empty() {
                    return Ok((row, impact));
                }
                switch_modules(tx, &plan.changes, switch.action == Action::Enable).await?;
                let row = read_module(tx, name).await?.ok_or(Error::NotFound)?;
                Ok((row, impact))
            }
            .scope_boxed()
        })
        .await
}

async fn look(tx: &Transaction, name: &ModuleName, switch: &Switch) -> Result<(Plan, Impact)> {
    let rows = read_graph(tx).await?;
    let graph = graph(&rows)?;
    let plan = match switch.action {
        Action::Enable => plan::enable(&graph, name, switch.cascade),
        Action::Disable => plan::disable(&graph, name, switch.cascade, switch.force),
    };
    // Nobody misses a module that goes on, and enabling should not wait for figures.
    let with_activity = switch.action == Action::Disable;
    let surroundings = read_surroundings(tx, &affected(name, &plan), with_activity).await?;
    let impact = Impact::new(switch.action, name, &plan, &rows, &surroundings);
    Ok((plan, impact))
}
