//! What keeps the tables in shape.

use std::time::Instant;

use jiff::civil::Date;
use mgmt_common::db::{Database, Result};
use mgmt_common::params;
use scoped_futures::ScopedFutureExt as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A day that was closed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all(serialize = "camelCase"))]
pub(crate) struct SealedDay {
    pub(crate) day: Date,
    /// Its figures were not what the raw events add up to.
    pub(crate) was_repaired: bool,
}

/// Closes the next day that nothing can come for any more.
pub(crate) async fn seal_next_day(
    database: &Database,
    last_open_days: i32,
    deadline: Instant,
) -> Result<Option<SealedDay>> {
    let statement = "-- seal_next_day\nselect day, was_repaired from module_mgmt.seal_usage($1)";
    database
        .run_as_worker_until(deadline, |tx| {
            async move { tx.read_opt(statement, params![last_open_days]).await }.scope_boxed()
        })
        .await
}

pub(crate) async fn make_partitions(database: &Database, months_ahead: i32) -> Result<i32> {
    answer(database, "-- make_partitions\nselect module_mgmt.make_usage_partitions($1) as answer", months_ahead).await
}

/// Drops the oldest partition if nothing needs it any more; its name.
pub(crate) async fn drop_partition(database: &Database, retention_months: i32) -> Result<Option<String>> {
    answer(database, "-- drop_partition\nselect module_mgmt.drop_usage_partition($1) as answer", retention_months).await
}

pub(crate) async fn prune_rejects(database: &Database, days: i32) -> Result<i64> {
    answer(database, "-- prune_rejects\nselect module_mgmt.prune_usage_rejects($1) as answer", days).await
}

/// Forgets changes of modules and overrides that are older.
pub(crate) async fn prune_audit(database: &Database, months: i32) -> Result<i64> {
    answer(database, "-- prune_audit\nselect module_mgmt.prune_module_audit($1) as answer", months).await
}

#[derive(Deserialize)]
struct Answer<T> {
    answer: T,
}

/// What one function of one number answers.
async fn answer<T: DeserializeOwned + Send>(database: &Database, statement: &'static str, number: i32) -> Result<T> {
    let answered = database
        .run_as_worker(|tx| async move { tx.read_one::<Answer<T>>(statement, params![number]).await }.scope_boxed());
    Ok(answered.await?.answer)
}
