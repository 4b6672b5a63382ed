//! The SQL of platform configs. Each statement begins with its function's name.

use jiff::Timestamp;
use mgmt_common::db::{Database, Page, PageLimits, Result, Transaction};
use mgmt_common::params;
use mgmt_common::web::etag::IfMatch;
use module_mgmt_protocol::caller::Caller;
use scoped_futures::ScopedFutureExt as _;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::leases::{self, Lease, SyncRow};

/// A config as it is stored, and as the API shows it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub(crate) struct StoredConfig {
    pub(crate) id: String,
    pub(crate) config_key: String,
    /// As it was stored; its keys are never re-cased.
    #[schema(value_type = Value)]
    pub(crate) config_value: Box<RawValue>,
    pub(crate) description: Option<String>,
    pub(crate) is_active: bool,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: Timestamp,
    pub(crate) created_by: Option<String>,
    pub(crate) updated_by: Option<String>,
    /// Counts changes; the ETag is this number in double quotes.
    pub(crate) row_version: i64,
}

/// A stored config beside the state of its rules, which only `lambda_warming` has.
#[derive(Debug, Deserialize)]
pub(crate) struct ConfigRow {
    pub(crate) config: StoredConfig,
    pub(crate) sync: Option<SyncRow>,
}

/// Reads [`ConfigRow`]s; the statement begins with its name and ends with the caller's own clause.
macro_rules! config_rows {
    ($name:literal, $clause:literal) => {
        concat!(
            "-- ",
            $name,
            "
        select to_jsonb(config) as config, case when sync.config_key is not null then
            to_jsonb(sync) || jsonb_build_object('last_tick', (select max(tick) from public.platform_warming_run))
          end as sync
        from public.platform_lambda_config config left join public.platform_rule_sync sync using (config_key) ",
            $clause
        )
    };
}

/// Sorted by key, behind one of them.
pub(crate) async fn list_configs(
    database: &Database,
    caller: &Caller,
    after: Option<&str>,
    most: PageLimits,
) -> Result<Page<ConfigRow>> {
    let statement = config_rows!(
        "list_configs",
        "where config.config_key collate \"C\" > coalesce(($1)[1], '') order by config.config_key collate \"C\""
    );
    database.read_page_as(caller, statement, &[after], most).await
}

pub(crate) async fn get_config(database: &Database, caller: &Caller, key: &str) -> Result<Option<ConfigRow>> {
    let statement = config_rows!("get_config", "where config.config_key = ($1)[1]");
    Ok(database.read_as(caller, statement, &[Some(key)]).await?.into_iter().next())
}

/// What became of a DELETE.
pub(crate) enum DeleteOutcome {
    Deleted,
    Missing,
    /// A reconcile is at work on its rules, and may be making some.
    Syncing,
    /// If-Match did not allow it.
    Stale {
        version: i64,
    },
}

/// Removes a config; of the schedule what is known about its rules too.
pub(crate) async fn delete_config(
    database: &Database,
    caller: &Caller,
    key: &str,
    if_match: &IfMatch,
) -> Result<DeleteOutcome> {
    database.run_as(caller, |tx| delete(tx, caller, key, if_match).scope_boxed()).await
}

async fn delete(tx: &Transaction, caller: &Caller, key: &str, if_match: &IfMatch) -> Result<DeleteOutcome> {
    let statement = "-- delete_config (lock)
        select row_version from public.platform_lambda_config where config_key = $1 for update";
    let Some(Version { row_version }) = tx.read_opt(statement, params![key]).await? else {
        return Ok(DeleteOutcome::Missing);
    };
    if !if_match.allows(Some(row_version)) {
        return Ok(DeleteOutcome::Stale { version: row_version });
    }
    if key == leases::WARMING_KEY && leases::take_lease(tx, &caller.user_id).await?.is_none() {
        return Ok(DeleteOutcome::Syncing);
    }
    let statement = "-- delete_config
        delete from public.platform_lambda_config where config_key = $1";
    tx.execute_one(statement, params![key]).await?;
    if key == leases::WARMING_KEY {
        leases::forget(tx).await?;
    }
    Ok(DeleteOutcome::Deleted)
}

#[derive(Deserialize)]
struct Version {
    row_version: i64,
}

/// What a PUT says.
#[derive(Debug)]
pub(crate) struct NewConfig<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: &'a RawValue,
    /// `None`: stays as it is.
    pub(crate) description: Option<&'a str>,
    /// `None`: stays as it is, and true for a new config.
    pub(crate) is_active: Option<bool>,
    /// Its rules count as pending from the same commit on, and its lease is taken if it is free.
    pub(crate) has_rules: bool,
}

/// What became of a PUT.
pub(crate) enum PutOutcome {
    /// The row as this request left it.
    Stored { created: bool, config: Box<StoredConfig>, lease: Option<Lease> },
    /// If-Match did not allow it; the current version, and the fields in which the request differs from what is stored.
    Stale { version: Option<i64>, changed: Vec<&'static str> },
}

/// Creates or replaces a config.
pub(crate) async fn put_config(
    database: &Database,
    caller: &Caller,
    new: &NewConfig<'_>,
    if_match: &IfMatch,
) -> Result<PutOutcome> {
    database.run_as(caller, |tx| put(tx, caller, new, if_match).scope_boxed()).await
}

async fn put(tx: &Transaction, caller: &Caller, new: &NewConfig<'_>, if_match: &IfMatch) -> Result<PutOutcome> {
    let current = lock_config(tx, new).await?;
    if !if_match.allows(current.as_ref().map(|current| current.row_version)) {
        let version = current.as_ref().map(|current| current.row_version);
        return Ok(PutOutcome::Stale {
            version,
            changed: current.map(|current| current.changed()).unwrap_or_default(),
        });
    }
    let statement = "-- put_config
        insert into public.platform_lambda_config as config
          (config_key, config_value, description, is_active, created_by, updated_by)
        values ($1, $2::jsonb, $3, coalesce($4, true), $5::uuid, $5::uuid)
        on conflict (config_key) do update set
          config_value = excluded.config_value,
          description = coalesce($3, config.description),
          is_active = coalesce($4, config.is_active),
          updated_by = excluded.updated_by
        returning config.*";
    let (value, actor) = (new.value.get(), actor_uuid(caller));
    let parameters = params![new.key, value, new.description, new.is_active, actor];
    let config: StoredConfig = tx.read_one(statement, parameters).await?;
    let mut lease = None;
    if new.has_rules {
        leases::mark_pending(tx).await?;
        lease = leases::take_lease(tx, &caller.user_id).await?;
    }
    // Two first saves at once both found nothing; the version tells which of them made the row.
    Ok(PutOutcome::Stored { created: config.row_version == 1, config: Box::new(config), lease })
}

#[derive(Deserialize)]
struct Current {
    row_version: i64,
    value_differs: bool,
    description_differs: bool,
    activity_differs: bool,
}

impl Current {
    /// Pointers to the fields in which the request differs.
    fn changed(&self) -> Vec<&'static str> {
        let fields = [
            ("/configValue", self.value_differs),
            ("/description", self.description_differs),
            ("/isActive", self.activity_differs),
        ];
        fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
    }
}

/// Locks the row against other writers; its version, and where the request differs from it.
async fn lock_config(tx: &Transaction, new: &NewConfig<'_>) -> Result<Option<Current>> {
    let statement = "-- lock_config
        select row_version, config_value is distinct from $2::jsonb as value_differs,
          $3::text is not null and description is distinct from $3 as description_differs,
          $4::bool is not null and is_active is distinct from $4 as activity_differs
        from public.platform_lambda_config where config_key = $1 for update";
    tx.read_opt(statement, params![new.key, new.value.get(), new.description, new.is_active]).await
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
