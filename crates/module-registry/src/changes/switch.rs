//! Enabling and disabling modules, with what they need and what needs them.

use std::time::Duration;

use mgmt_common::db::{self, Database, Transaction};
use mgmt_common::modules::name::ModuleName;
use mgmt_common::modules::plan::{self, Plan};
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::etag::IfMatch;
use module_mgmt_protocol::caller::Caller;
use scoped_futures::ScopedFutureExt as _;

use super::{current, refused};
use crate::definition::module::RegisteredModule;
use crate::impact::{Action, Impact, affected};
use crate::store::activity::{Activity, read_activity};
use crate::store::graph::{GraphRow, graph, lock_registry, read_graph};
use crate::store::impact_inputs::read_impact_inputs;
use crate::store::modules::{read_module, switch_modules};

/// How long a call waits for the figures of activity, which only tell and decide nothing.
const PATIENCE: Duration = Duration::from_secs(2);

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
) -> Result<(RegisteredModule, Impact)> {
    let activity = match switch.action {
        Action::Disable => Some(activity(database, caller, name, switch).await?),
        // Nobody misses a module that goes on.
        Action::Enable => None,
    };
    let activity = &activity;
    database
        .run_as(caller, |tx| {
            async move {
                // A dry run waits too: its graph and its figures must be of one moment.
                lock_registry(tx).await?;
                let row = current(tx, name, if_match).await?;
                let (plan, impact) = look(tx, name, switch, activity.as_ref()).await?;
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

async fn look(
    tx: &Transaction,
    name: &ModuleName,
    switch: &Switch,
    activity: Option<&Option<Activity>>,
) -> Result<(Plan, Impact)> {
    let rows = read_graph(tx).await?;
    let plan = planned(&rows, name, switch)?;
    let inputs = read_impact_inputs(tx, &affected(name, &plan)).await?;
    let impact = Impact::new(switch.action, name, &plan, &rows, &inputs, activity);
    Ok((plan, impact))
}

fn planned(rows: &[GraphRow], name: &ModuleName, switch: &Switch) -> Result<Plan> {
    let graph = graph(rows)?;
    Ok(match switch.action {
        Action::Enable => plan::enable(&graph, name, switch.cascade),
        Action::Disable => plan::disable(&graph, name, switch.cascade, switch.force),
    })
}

/// Asked before the registry is locked, because it may take long where much is used, and others would wait. `None`: it could not be
/// had in time.
async fn activity(
    database: &Database,
    caller: &Caller,
    name: &ModuleName,
    switch: &Switch,
) -> Result<Option<Activity>> {
    let looking = database.run_as(caller, |tx| {
        async move { Ok::<_, Error>(affected(name, &planned(&read_graph(tx).await?, name, switch)?)) }.scope_boxed()
    });
    let names = looking.await?;
    match tokio::time::timeout(PATIENCE, read_activity(database, caller, &names)).await {
        Ok(Ok(activity)) => Ok(Some(activity)),
        // Where the database is really down, the change that follows says so.
        Ok(Err(error @ db::Error::Unavailable(_))) => {
            tracing::warn!(%name, %error, "who used the module in the last 30 days cannot be read");
            Ok(None)
        }
        Ok(Err(error)) => Err(error.into()),
        Err(_) => {
            tracing::warn!(%name, "who used the module in the last 30 days takes too long to find out");
            Ok(None)
        }
    }
}
