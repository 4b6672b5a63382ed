//! The lease of a reconcile, and what it leaves behind.
//!
//! A lease is a row and not an advisory lock, because no transaction stays open while AWS is called.

use jiff::Timestamp;
use mgmt_common::db::{Result, Transaction};
use mgmt_common::params;
use serde::Deserialize;
use serde_json::Value;

/// The config whose rules are reconciled.
pub(crate) const WARMING_KEY: &str = "lambda_warming";
/// When a reconcile counts as dead. Its own deadline lies before that, so that an overtaken one cannot write to the bus.
pub(crate) const LEASE_SECONDS: i32 = 40;

/// The right to reconcile until the lease ends.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Lease {
    pub(crate) generation: i64,
    pub(crate) applied_version: Option<i64>,
}

/// `None`: another reconcile is at work.
pub(crate) async fn take_lease(tx: &Transaction, holder: &str) -> Result<Option<Lease>> {
    let statement = "-- take_lease
        insert into public.platform_rule_sync as sync (config_key, generation, lease_holder, lease_until, attempted_at)
        values ($1, 1, $2, now() + make_interval(secs => $3), now())
        on conflict (config_key) do update set
          generation = sync.generation + 1, lease_holder = excluded.lease_holder,
          lease_until = excluded.lease_until, attempted_at = excluded.attempted_at
        where sync.lease_until is null or sync.lease_until < now()
        returning generation, applied_version";
    let seconds = f64::from(LEASE_SECONDS);
    tx.read_opt(statement, params![WARMING_KEY, holder, seconds]).await
}

/// The stored schedule as a reconcile reads it.
#[derive(Debug, Deserialize)]
pub(crate) struct StoredSchedule {
    #[serde(rename = "config_value")]
    pub(crate) value: Value,
    pub(crate) is_active: bool,
    #[serde(rename = "row_version")]
    pub(crate) version: i64,
}

/// `None` when the row is missing, or hidden because the claims were lost.
pub(crate) async fn read_schedule(tx: &Transaction) -> Result<Option<StoredSchedule>> {
    let statement = "-- read_schedule
        select config_value, is_active, row_version from public.platform_lambda_config where config_key = $1";
    tx.read_opt(statement, params![WARMING_KEY]).await
}

/// Stores adopted payloads; false when somebody changed the schedule meanwhile.
pub(crate) async fn replace_schedule(
    tx: &Transaction,
    value: &Value,
    version: i64,
    actor: Option<&str>,
) -> Result<bool> {
    let statement = "-- replace_schedule
        update public.platform_lambda_config set config_value = $2, updated_by = $4::uuid
        where config_key = $1 and row_version = $3";
    Ok(tx.execute(statement, params![WARMING_KEY, value, version, actor]).await? == 1)
}

/// What a reconcile found out.
pub(crate) struct Finding {
    /// The version that the rules now follow completely.
    pub(crate) synced_version: Option<i64>,
    pub(crate) error: Option<String>,
    pub(crate) observed: Option<Value>,
}

/// Writes the finding and gives the lease back. Answers the schedule's version now, or `None` when another reconcile has
/// taken over, whose word then counts.
pub(crate) async fn finish(tx: &Transaction, lease: Lease, finding: &Finding) -> Result<Option<i64>> {
    // A save marks the row pending in the commit that changes the config. Waiting for it here, in a statement of its own,
    // lets the next statement's snapshot see the config that was saved.
    let own = "-- finish (wait)
        select generation from public.platform_rule_sync where config_key = $1 and generation = $2 for update";
    if tx.read_opt::<Own>(own, params![WARMING_KEY, lease.generation]).await?.is_none() {
        return Ok(None);
    }
    let statement = "-- finish
        update public.platform_rule_sync sync set
          lease_holder = null, lease_until = null, last_error = $3, observed = coalesce($4, sync.observed),
          status = case when $5::bigint is not null and $5 = config.row_version then 'synced' else 'pending' end,
          applied_version = coalesce($5, sync.applied_version),
          applied_at = case when $5::bigint is null then sync.applied_at else now() end
        from (select max(row_version) as row_version from public.platform_lambda_config where config_key = $1) config
        where sync.config_key = $1 and sync.generation = $2
        returning coalesce(config.row_version, 0) as row_version";
    let parameters = params![WARMING_KEY, lease.generation, finding.error, finding.observed, finding.synced_version];
    Ok(tx.read_opt(statement, parameters).await?.map(|Version { row_version }| row_version))
}

/// A row that was locked.
#[derive(Deserialize)]
struct Own {
    #[expect(dead_code, reason = "only whether there is such a row is asked")]
    generation: i64,
}

#[derive(Deserialize)]
struct Version {
    row_version: i64,
}

#[derive(Deserialize)]
struct Applied {
    applied_version: Option<i64>,
}

/// The version that the rules last followed completely.
pub(crate) async fn applied_version(tx: &Transaction) -> Result<Option<i64>> {
    let statement = "-- applied_version\nselect applied_version from public.platform_rule_sync where config_key = $1";
    let applied: Option<Applied> = tx.read_opt(statement, params![WARMING_KEY]).await?;
    Ok(applied.and_then(|applied| applied.applied_version))
}

/// When the rules were last seen to follow the schedule, and the newest tick that ran.
#[derive(Deserialize)]
pub(crate) struct Heartbeat {
    pub(crate) synced_at: Timestamp,
    pub(crate) last_tick: Option<Timestamp>,
}

/// `None` while the rules do not follow the stored schedule: then no tick is expected.
pub(crate) async fn read_heartbeat(tx: &Transaction) -> Result<Option<Heartbeat>> {
    let statement = "-- read_heartbeat
        select sync.applied_at as synced_at, (select max(tick) from public.platform_warming_run) as last_tick
        from public.platform_rule_sync sync join public.platform_lambda_config config using (config_key)
        where sync.config_key = $1 and sync.status = 'synced' and sync.applied_version = config.row_version
          and sync.applied_at is not null";
    tx.read_opt(statement, params![WARMING_KEY]).await
}
