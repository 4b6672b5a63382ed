//! The lease of a reconcile, and what it leaves behind.
//!
//! A lease is a row and not an advisory lock, because no transaction stays open while AWS is called.

use jiff::Timestamp;
use mgmt_common::db::{Result, Transaction};
use mgmt_common::params;
use mgmt_common::schedule::stored::StoredSchedule;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

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

/// How far the rules follow, as stored. The texts are those of the table's check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RulesStatus {
    /// The rules were seen to follow exactly this version.
    Synced,
    Pending,
}

/// How far the rules follow, as stored.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SyncRow {
    pub(crate) status: RulesStatus,
    pub(crate) applied_version: Option<i64>,
    pub(crate) applied_at: Option<Timestamp>,
    pub(crate) attempted_at: Option<Timestamp>,
    pub(crate) last_error: Option<String>,
    pub(crate) observed: Option<Value>,
    /// The newest tick that ran.
    pub(crate) last_tick: Option<Timestamp>,
}

/// Marks the rules as pending in the commit that changes their schedule. An error of an earlier version says nothing about this one.
pub(crate) async fn mark_pending(tx: &Transaction) -> Result<()> {
    let statement = "-- mark_pending
        insert into public.platform_rule_sync (config_key, status) values ($1, 'pending')
        on conflict (config_key) do update set status = 'pending', last_error = null";
    tx.execute(statement, params![WARMING_KEY]).await.map(drop)
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

/// Of a schedule that is gone: its rules are, too, and a reconcile that held the lease has lost it.
pub(crate) async fn forget(tx: &Transaction) -> Result<()> {
    let statement = "-- forget
        update public.platform_rule_sync set status = 'pending', applied_version = null, applied_at = null, last_error = null,
          observed = null, lease_holder = null, lease_until = null, generation = generation + 1
        where config_key = $1";
    tx.execute(statement, params![WARMING_KEY]).await.map(drop)
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
pub(crate) struct SyncResult {
    /// The version that the rules now follow completely.
    pub(crate) synced_version: Option<i64>,
    pub(crate) error: Option<String>,
    pub(crate) observed: Option<Value>,
}

/// What is stored when a reconcile has ended.
#[derive(Debug, Deserialize)]
pub(crate) struct Finished {
    /// The schedule's version by now.
    pub(crate) row_version: i64,
    pub(crate) sync: SyncRow,
}

/// Writes the result and gives the lease back. `None` when another reconcile has taken over, whose word then counts.
pub(crate) async fn finish(tx: &Transaction, lease: Lease, result: &SyncResult) -> Result<Option<Finished>> {
    // A save marks the row pending in the commit that changes the config. Waiting for it here, in a statement of its own,
    // lets the next statement's snapshot see the config that was saved.
    let own = "-- finish (wait)
        select from public.platform_rule_sync where config_key = $1 and generation = $2 for update";
    if tx.execute(own, params![WARMING_KEY, lease.generation]).await? == 0 {
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
        returning coalesce(config.row_version, 0) as row_version,
          to_jsonb(sync) || jsonb_build_object('last_tick', (select max(tick) from public.platform_warming_run)) as sync";
    let parameters = params![WARMING_KEY, lease.generation, result.error, result.observed, result.synced_version];
    tx.read_opt(statement, parameters).await
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
