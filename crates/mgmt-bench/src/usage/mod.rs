//! Counting usage beside plain COPY, and reading figures beside scanning raw events.

mod connect;
mod ingest;
mod read;

use anyhow::Result;

use crate::row::Row;

pub(crate) async fn measure() -> Result<Vec<Row>> {
    let mut rows = ingest::measure().await?;
    rows.extend(read::measure().await?);
    Ok(rows)
}
