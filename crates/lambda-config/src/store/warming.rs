//! The history of warming, as the warmer wrote it.

use jiff::Timestamp;
use mgmt_common::db::{Database, Page, PageLimits, Result, Transaction};
use mgmt_common::warming::report::{FunctionReport, RunStatus, TargetStatus};
use mgmt_common::warming::targets::ModuleFunctions;
use module_mgmt_protocol::caller::Caller;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// One tick: what was asked for and what proved to be warm. As it is stored, and as the API shows it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
#[schema(as = Run)]
pub(crate) struct RunRow {
    /// The scheduled minute.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) tick: Timestamp,
    pub(crate) status: RunStatus,
    pub(crate) config_version: Option<i64>,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) started_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) asked: i32,
    pub(crate) reached: i32,
    /// Distinct instances; null when no payload returns instance ids.
    #[serde(rename(serialize = "unique", deserialize = "unique_instances"))]
    #[schema(rename = "unique")]
    pub(crate) unique: Option<i32>,
    pub(crate) cold: i32,
    pub(crate) init_ms: i64,
    pub(crate) throttled: i32,
    pub(crate) errors: i32,
    pub(crate) note: Option<String>,
    /// The same figures per function.
    pub(crate) functions: Vec<FunctionReport>,
}

/// Newest first, before the given tick if any.
pub(crate) async fn list_runs(
    database: &Database,
    caller: &Caller,
    before: Option<Timestamp>,
    most: PageLimits,
) -> Result<Page<RunRow>> {
    let statement = "-- list_runs
        select * from public.platform_warming_run
        where tick < coalesce(($1)[1]::timestamptz, 'infinity') order by tick desc";
    let before = before.map(|tick| tick.to_string());
    database.read_page_as(caller, statement, &[before.as_deref()], most).await
}

/// What is known about how a function answers pings.
#[derive(Debug, Deserialize)]
pub(crate) struct TargetRow {
    pub(crate) function_name: String,
    pub(crate) qualifier: String,
    pub(crate) status: TargetStatus,
    pub(crate) reason: Option<String>,
}

/// The stored schedule, what modules want warm, what pings have shown, and the newest run: all that the function list says about warming.
#[derive(Debug, Deserialize)]
pub(crate) struct WarmingRow {
    pub(crate) config_value: Option<Value>,
    pub(crate) modules: Vec<ModuleFunctions>,
    pub(crate) targets: Vec<TargetRow>,
    pub(crate) last_run: Option<RunRow>,
}

pub(crate) async fn read_warming(database: &Database, caller: &Caller) -> Result<WarmingRow> {
    let statement = "-- read_warming
        select
          (select config_value from public.platform_lambda_config where config_key = 'lambda_warming') as config_value,
          (select coalesce(jsonb_agg(to_jsonb(module)), '[]') from (
             select module_name, is_enabled, is_installed, dependencies, functions from public.platform_module_registry
             where deleted_at is null order by module_name) module) as modules,
          (select coalesce(jsonb_agg(to_jsonb(target)), '[]') from public.platform_warming_target target) as targets,
          (select to_jsonb(run) from public.platform_warming_run run
           where finished_at is not null order by tick desc limit 1) as last_run";
    let rows: Vec<WarmingRow> = database.read_as(caller, statement, &[]).await?;
    let row = rows.into_iter().next();
    Ok(row.unwrap_or(WarmingRow { config_value: None, modules: Vec::new(), targets: Vec::new(), last_run: None }))
}

/// Forgets runs older than 90 days.
pub(crate) async fn prune_runs(tx: &Transaction) -> Result<u64> {
    tx.execute("-- prune_runs\ndelete from public.platform_warming_run where tick < now() - interval '90 days'", &[])
        .await
}
