//! The SQL of this function. Each statement begins with its function's name.

pub(crate) mod target_records;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use mgmt_common::db::{Database, Error, Result, Transaction, Work};
use mgmt_common::params;
use mgmt_common::schedule::stored::StoredSchedule;
use mgmt_common::warming::targets::ModuleFunctions;
use serde::Deserialize;

use crate::proof::{Key, TargetRecord};
use crate::report::RunReport;

/// A database that does not answer in this time counts as down; the tick matters more than a fresh config.
const DATABASE_TIME: Duration = Duration::from_secs(5);

/// The schedule as it is stored, with the modules whose functions it includes and what native pings have shown, by function name and qualifier.
#[derive(Debug, Clone)]
pub(crate) struct ScheduleSnapshot {
    pub(crate) schedule: StoredSchedule,
    /// Every registered module; empty where the schedule leaves modules out.
    pub(crate) modules: Vec<ModuleFunctions>,
    pub(crate) known: BTreeMap<Key, TargetRecord>,
}

/// Runs a transaction, as far as the database answers in time.
pub(crate) async fn run<'work, T, E: From<Error>>(database: &Database, work: impl Work<'work, T, E>) -> Result<T, E> {
    let in_time = tokio::time::timeout(DATABASE_TIME, database.run_as_worker(work)).await;
    in_time.unwrap_or_else(|_| Err(Error::Unavailable("it did not answer in time".into()).into()))
}

#[derive(Deserialize)]
struct ScheduleRow {
    schedule: StoredSchedule,
    modules: Vec<ModuleFunctions>,
}

/// `None`: there is no schedule.
pub(crate) async fn read_schedule(tx: &Transaction) -> Result<Option<ScheduleSnapshot>> {
    let statement = "-- read_schedule
        select to_jsonb(config) as schedule, case when config_value -> 'include_modules' = 'false' then '[]' else (
            select coalesce(jsonb_agg(to_jsonb(module)), '[]') from (
              select module_name, is_enabled, is_installed, dependencies, functions from public.platform_module_registry
              where deleted_at is null order by module_name) module)
          end as modules
        from public.platform_lambda_config config where config_key = 'lambda_warming'";
    let Some(row) = tx.read_opt::<ScheduleRow>(statement, &[]).await? else { return Ok(None) };
    let known = target_records::read_target_records(tx).await?;
    Ok(Some(ScheduleSnapshot { schedule: row.schedule, modules: row.modules, known }))
}

/// Claims a tick: false when another delivery of it was first.
pub(crate) async fn claim_tick(tx: &Transaction, tick: Timestamp, version: i64) -> Result<bool> {
    let statement = "-- claim_tick
        insert into public.platform_warming_run (tick, config_version) values ($1::timestamptz, $2) on conflict (tick) do nothing";
    let tick = tick.to_string();
    Ok(tx.execute(statement, params![tick, version]).await? == 1)
}

/// Completes the run's row, and makes it where the claim could not: the database was down then.
pub(crate) async fn finish_run(tx: &Transaction, tick: Timestamp, version: i64, report: &RunReport) -> Result<()> {
    let statement = "-- finish_run
        insert into public.platform_warming_run as run (tick, config_version, status, finished_at, asked, reached,
          unique_instances, cold, init_ms, throttled, errors, note, functions)
        values ($1::timestamptz, $2, $3, now(), $4, $5, $6, $7, $8, $9, $10, $11, $12)
        on conflict (tick) do update set
          status = excluded.status, finished_at = excluded.finished_at, asked = excluded.asked,
          reached = excluded.reached, unique_instances = excluded.unique_instances, cold = excluded.cold,
          init_ms = excluded.init_ms, throttled = excluded.throttled, errors = excluded.errors,
          note = excluded.note, functions = excluded.functions
        where run.finished_at is null";
    let tick = tick.to_string();
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let (totals, status) = (&report.totals, report.status.as_str());
    let (asked, reached, unique) = (number(totals.asked), number(totals.reached), totals.unique.map(number));
    let (cold, throttled, errors) = (number(totals.cold), number(totals.throttled), number(totals.errors));
    let init_ms = i64::try_from(totals.init_ms).unwrap_or(i64::MAX);
    // The report holds strings and numbers only: it always serialises.
    let functions = serde_json::to_value(&report.functions).unwrap_or_default();
    let parameters = params![
        tick,
        version,
        status,
        asked,
        reached,
        unique,
        cold,
        init_ms,
        throttled,
        errors,
        report.note,
        functions,
    ];
    tx.execute(statement, parameters).await.map(drop)
}
