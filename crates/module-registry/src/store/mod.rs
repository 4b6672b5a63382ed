//! The SQL of this function. Each statement begins with its function's name.

pub(crate) mod activity;
pub(crate) mod graph;
pub(crate) mod history;
pub(crate) mod modules;
pub(crate) mod overrides;
pub(crate) mod surroundings;
pub(crate) mod visible;

use mgmt_common::error::{Error, Result};
use serde::de::DeserializeOwned;
use tokio_postgres::Row;

/// Reads the rows of a statement that answers JSON texts, as the door for reads does for its own.
fn read_rows<T: DeserializeOwned>(name: &str, rows: &[Row]) -> Result<Vec<T>> {
    let read =
        |row: &Row| serde_json::from_str(row.get(0)).map_err(|error| Error::Internal(format!("{name}: {error}")));
    rows.iter().map(read).collect()
}
