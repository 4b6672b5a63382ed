//! How the benchmarks of usage reach the database.

use anyhow::Result;
use tokio_postgres::{Client, NoTls};

/// One connection as superuser; the tables are the same whoever writes.
pub(super) async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
