//! Counting usage beside plain COPY, and reading figures beside scanning raw events.

mod ingest;
mod read;

use anyhow::Result;
use tokio_postgres::{Client, NoTls};

use crate::Row;

pub(crate) async fn measure() -> Result<Vec<Row>> {
    let mut rows = ingest::measure().await?;
    rows.extend(read::measure().await?);
    Ok(rows)
}

/// One connection as superuser; the tables are the same whoever writes.
async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
