//! The database that a command is pointed at.

use std::path::Path;

use mgmt_common::db::direct_connection;
use tokio_postgres::Client;

use crate::output::{Failure, progress};

/// The text of `--ca-file`.
pub(crate) fn trusted(ca_file: Option<&Path>) -> Result<Option<String>, Failure> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
    };
    ca_file.map(read).transpose()
}

/// One connection, which ends when the client is dropped. Warnings of the server are told.
pub(crate) async fn connect(url: &str, ca_file: Option<&Path>) -> Result<Client, Failure> {
    let warn = |message: &str| progress(&format!("warning: {message}"));
    let connected = direct_connection(url, trusted(ca_file)?.as_deref(), warn).await;
    let (client, connection) = connected.map_err(Failure::new)?;
    tokio::spawn(connection);
    Ok(client)
}
