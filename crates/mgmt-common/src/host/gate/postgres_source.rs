//! Reads states straight from Postgres, for hosts that can reach it.

use super::Credential;
use super::source::{BoxFuture, ReadError, StateRead, StateSource};
use crate::caller::Caller;
use crate::db::Database;
use crate::module_state::{self, read_state};
use crate::settings::DatabaseSettings;

/// Needs no credential of a caller: the host logs in to the database itself, with the request login. That login may act as any caller,
/// so only functions that are trusted like the control plane's own may have it; all others read over HTTP.
pub struct PostgresSource {
    database: Database,
}

impl PostgresSource {
    /// Connects to nothing: the first read does.
    pub fn new(settings: DatabaseSettings) -> Self {
        Self { database: Database::new(settings) }
    }
}

impl StateSource for PostgresSource {
    fn read<'a>(
        &'a self,
        org_id: &'a str,
        _: Option<&'a Credential>,
        known_version: Option<&'a str>,
    ) -> BoxFuture<'a, Result<StateRead, ReadError>> {
        Box::pin(async move {
            let known: Vec<&str> = known_version.into_iter().collect();
            match read_state(&self.database, &Caller::without_rights("module-gate", org_id), &known).await {
                Ok(module_state::StateRead::Unchanged(_)) => Ok(StateRead::Unchanged),
                Ok(module_state::StateRead::Changed(state)) => Ok(StateRead::Changed(state)),
                Err(error) => Err(ReadError::Failed(error.to_string())),
            }
        })
    }
}
