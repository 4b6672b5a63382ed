//! The SQL of this function. Each statement begins with its function's name.

use jiff::Timestamp;
use mgmt_common::db::{Database, Result, Transaction};
use mgmt_common::params;
use mgmt_common::web::etag::{self, IfMatch};
use module_mgmt_protocol::caller::Caller;
use scoped_futures::ScopedFutureExt as _;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::routes::configs::PutConfig;

/// A stored config beside the state of its rules, which only `lambda_warming` has.
#[derive(Debug, Deserialize)]
pub(crate) struct ConfigRow {
    pub(crate) id: String,
    pub(crate) config_key: String,
    pub(crate) config_value: Box<RawValue>,
    pub(crate) description: Option<String>,
    pub(crate) is_active: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) created_by: Option<String>,
    pub(crate) updated_by: Option<String>,
    pub(crate) row_version: i64,
    pub(crate) sync: Option<SyncRow>,
}

/// How far the rules follow, as stored.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SyncRow {
    pub(crate) status: String,
    pub(crate) applied_version: Option<i64>,
    pub(crate) applied_at: Option<Timestamp>,
    pub(crate) attempted_at: Option<Timestamp>,
    pub(crate) last_error: Option<String>,
    pub(crate) observed: Option<Value>,
    /// The newest tick that ran.
    pub(crate) last_tick: Option<Timestamp>,
}

/// Reads [`ConfigRow`]s; the statement begins with its name and ends with the caller's own clause.
macro_rules! config_rows {
    ($name:literal, $clause:literal) => {
        concat!(
            "-- ",
            $name,
            "
        select config.*, case when sync.config_key is not null then
            to_jsonb(sync) || jsonb_build_object('last_tick', (select max(tick) from public.platform_warming_run))
          end as sync
        from public.platform_lambda_config config left join public.platform_rule_sync sync using (config_key) ",
            $clause
        )
    };
}

pub(crate) async fn list_configs(database: &Database, caller: &Caller) -> Result<Vec<ConfigRow>> {
    let statement = config_rows!("list_configs", "order by config.config_key");
    database.read_as(caller, statement, &[]).await
}

pub(crate) async fn get_config(database: &Database, caller: &Caller, key: &str) -> Result<Option<ConfigRow>> {
    let statement = config_rows!("get_config", "where config.config_key = ($1)[1]");
    Ok(database.read_as(caller, statement, &[Some(key)]).await?.into_iter().next())
}

/// What became of a PUT.
pub(crate) enum Put {
    /// The row as this request left it.
    Stored { created: bool, row: Box<ConfigRow> },
    /// If-Match did not allow it; the current version, and the fields in which the request differs from what is stored.
    Stale { version: Option<i64>, changed: Vec<&'static str> },
}

/// Creates or replaces a config; where it has rules, they count as pending from the same commit on.
pub(crate) async fn put_config(
    database: &Database,
    caller: &Caller,
    key: &str,
    config: &PutConfig,
    if_match: &IfMatch,
    has_rules: bool,
) -> Result<Put> {
    let value = config.config_value.get();
    let actor = actor_uuid(caller);
    database
        .run_as(caller, |tx| {
            async move {
                let current = lock_config(tx, key, config).await?;
                if !if_match.allows(current.as_ref().map(|(version, _)| *version)) {
                    let (version, changed) =
                        current.map_or((None, Vec::new()), |(version, changed)| (Some(version), changed));
                    return Ok(Put::Stale { version, changed });
                }
                let statement = "-- put_config
                insert into public.platform_lambda_config as config
                  (config_key, config_value, description, is_active, created_by, updated_by)
                values ($1, $2::jsonb, $3, coalesce($4, true), $5::uuid, $5::uuid)
                on conflict (config_key) do update set
                  config_value = excluded.config_value,
                  description = coalesce($3, config.description),
                  is_active = coalesce($4, config.is_active),
                  updated_by = excluded.updated_by";
                tx.execute(statement, params![key, value, config.description, config.is_active, actor]).await?;
                if has_rules {
                    mark_pending(tx, key).await?;
                }
                let row = stored_config(tx, key).await?;
                // Two first saves at once both found nothing; the version tells which of them made the row.
                Ok(Put::Stored { created: row.row_version == 1, row: Box::new(row) })
            }
            .scope_boxed()
        })
        .await
}

#[derive(Deserialize)]
struct Current {
    row_version: i64,
    value_differs: bool,
    description_differs: bool,
    activity_differs: bool,
}

/// Locks the row against other writers; its version, and where the request differs from it.
async fn lock_config(tx: &Transaction, key: &str, config: &PutConfig) -> Result<Option<(i64, Vec<&'static str>)>> {
    let statement = "-- lock_config
        select row_version, config_value is distinct from $2::jsonb as value_differs,
          $3::text is not null and description is distinct from $3 as description_differs,
          $4::bool is not null and is_active is distinct from $4 as activity_differs
        from public.platform_lambda_config where config_key = $1 for update";
    let value = config.config_value.get();
    let current: Option<Current> =
        tx.read_opt(statement, params![key, value, config.description, config.is_active]).await?;
    Ok(current.map(|current| {
        let fields = [
            ("/configValue", current.value_differs),
            ("/description", current.description_differs),
            ("/isActive", current.activity_differs),
        ];
        (current.row_version, fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect())
    }))
}

/// The row inside the transaction that wrote it: later reads may already see somebody else's change.
async fn stored_config(tx: &Transaction, key: &str) -> Result<ConfigRow> {
    tx.read_one(config_rows!("stored_config", "where config.config_key = $1"), params![key]).await
}

/// An error of an earlier version says nothing about this one.
async fn mark_pending(tx: &Transaction, key: &str) -> Result<()> {
    let statement = "-- mark_pending
        insert into public.platform_rule_sync (config_key, status) values ($1, 'pending')
        on conflict (config_key) do update set status = 'pending', last_error = null";
    tx.execute(statement, params![key]).await?;
    Ok(())
}

/// The old columns hold UUIDs; other ids are in the log under the request id.
pub(crate) fn actor_uuid(caller: &Caller) -> Option<&str> {
    let id = caller.user_id.as_str();
    let is_uuid = id.len() == 36
        && id.bytes().enumerate().all(|(i, byte)| match i {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    is_uuid.then_some(id)
}

impl Put {
    /// The entity tag that a 412 names; nothing is stored where there is none.
    pub(crate) fn etag(version: Option<i64>) -> String {
        version.map(etag::of).unwrap_or_default()
    }
}
