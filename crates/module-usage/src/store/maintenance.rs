//! What keeps the tables in shape.

use std::time::Instant;

use jiff::civil::Date;
use mgmt_common::db::Database;
use mgmt_common::error::{Error, Result};
use scoped_futures::ScopedFutureExt as _;
use serde::Serialize;
use tokio_postgres::types::Type;

/// A day that was closed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
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
            async move {
                let row = tx.query_opt(statement, &[(&last_open_days, Type::INT4)]).await?;
                Ok(row.map(|row| SealedDay { day: row.get(0), was_repaired: row.get(1) }))
            }
            .scope_boxed()
        })
        .await
}

pub(crate) async fn make_partitions(database: &Database, months_ahead: i32) -> Result<i32> {
    let statement = "-- make_partitions\nselect module_mgmt.make_usage_partitions($1)";
    database
        .run_as_worker(|tx| {
            async move {
                let row = tx.query_opt(statement, &[(&months_ahead, Type::INT4)]).await?.ok_or(Error::NotFound)?;
                Ok(row.get(0))
            }
            .scope_boxed()
        })
        .await
}

/// Drops the oldest partition if nothing needs it any more; its name.
pub(crate) async fn drop_partition(database: &Database, retention_months: i32) -> Result<Option<String>> {
    let statement = "-- drop_partition\nselect module_mgmt.drop_usage_partition($1)";
    database
        .run_as_worker(|tx| {
            async move {
                let row = tx.query_opt(statement, &[(&retention_months, Type::INT4)]).await?.ok_or(Error::NotFound)?;
                Ok(row.get(0))
            }
            .scope_boxed()
        })
        .await
}

pub(crate) async fn prune_rejects(database: &Database, days: i32) -> Result<i64> {
    let statement = "-- prune_rejects\nselect module_mgmt.prune_usage_rejects($1)";
    database
        .run_as_worker(|tx| {
            async move {
                let row = tx.query_opt(statement, &[(&days, Type::INT4)]).await?.ok_or(Error::NotFound)?;
                Ok(row.get(0))
            }
            .scope_boxed()
        })
        .await
}
