//! The SQL of this function. Each statement begins with its function's name.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mgmt_common::db::{Parameter, Transaction};
use mgmt_common::error::Result;
use serde_json::Value;
use tokio_postgres::types::Type;

use crate::report::RunReport;
use crate::target::Known;

/// The schedule as it is stored, with what native pings have shown, by function name and qualifier.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) value: Value,
    pub(crate) is_active: bool,
    pub(crate) version: i64,
    pub(crate) known: BTreeMap<(String, String), Known>,
}

/// `None`: there is no schedule.
pub(crate) async fn read_schedule(tx: &Transaction) -> Result<Option<Stored>> {
    let statement = "-- read_schedule
        select config_value, is_active, row_version from public.platform_lambda_config where config_key = 'lambda_warming'";
    let Some(row) = tx.query_opt(statement, &[]).await? else { return Ok(None) };
    let known = read_known(tx).await?;
    Ok(Some(Stored { value: row.get(0), is_active: row.get(1), version: row.get(2), known }))
}

async fn read_known(tx: &Transaction) -> Result<BTreeMap<(String, String), Known>> {
    let statement = "-- read_known
        select function_name, qualifier, fingerprint, status, code_sha256, reason from public.platform_warming_target";
    let rows = tx.query(statement, &[]).await?;
    let entry = |row: tokio_postgres::Row| {
        let known = Known {
            fingerprint: row.get(2),
            is_proven: row.get::<_, &str>(3) == "proven",
            code_sha256: row.get(4),
            reason: row.get(5),
        };
        ((row.get(0), row.get(1)), known)
    };
    Ok(rows.into_iter().map(entry).collect())
}

/// Claims a tick: false when another delivery of it was first.
pub(crate) async fn claim_tick(tx: &Transaction, tick: Timestamp, version: i64) -> Result<bool> {
    let statement = "-- claim_tick
        insert into public.platform_warming_run (tick, config_version) values ($1::timestamptz, $2) on conflict (tick) do nothing";
    let tick = tick.to_string();
    Ok(tx.execute(statement, &[(&tick, Type::TEXT), (&version, Type::INT8)]).await? == 1)
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
    let totals = &report.totals;
    let (asked, reached, unique) = (number(totals.asked), number(totals.reached), totals.unique.map(number));
    let (cold, throttled, errors) = (number(totals.cold), number(totals.throttled), number(totals.errors));
    let init_ms = i64::try_from(totals.init_ms).unwrap_or(i64::MAX);
    // The report holds strings and numbers only: it always serialises.
    let functions = serde_json::to_value(&report.functions).unwrap_or_default();
    let parameters: [Parameter<'_>; 12] = [
        (&tick, Type::TEXT),
        (&version, Type::INT8),
        (&report.status, Type::TEXT),
        (&asked, Type::INT4),
        (&reached, Type::INT4),
        (&unique, Type::INT4),
        (&cold, Type::INT4),
        (&init_ms, Type::INT8),
        (&throttled, Type::INT4),
        (&errors, Type::INT4),
        (&report.note, Type::TEXT),
        (&functions, Type::JSONB),
    ];
    tx.execute(statement, &parameters).await.map(drop)
}

/// Stores what a native ping has shown about a function.
pub(crate) async fn keep_known(tx: &Transaction, name: &str, qualifier: &str, known: &Known) -> Result<()> {
    let statement = "-- keep_known
        insert into public.platform_warming_target (function_name, qualifier, fingerprint, status, code_sha256, reason)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (function_name, qualifier) do update set
          fingerprint = excluded.fingerprint, status = excluded.status, code_sha256 = excluded.code_sha256,
          reason = excluded.reason, updated_at = now()";
    let status = if known.is_proven { "proven" } else { "suspended" };
    let parameters: [Parameter<'_>; 6] = [
        (&name, Type::TEXT),
        (&qualifier, Type::TEXT),
        (&known.fingerprint, Type::TEXT),
        (&status, Type::TEXT),
        (&known.code_sha256, Type::TEXT),
        (&known.reason, Type::TEXT),
    ];
    tx.execute(statement, &parameters).await.map(drop)
}
