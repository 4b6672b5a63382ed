//! Reads states straight from Postgres, for hosts that can reach it.

use mgmt_common::db::Database;
use mgmt_common::module_state::{self, read_state};
use module_mgmt_host::BoxFuture;
use module_mgmt_host::gate::{Credential, ReadError, StateRead, StateSource};
use module_mgmt_protocol::caller::Caller;

use crate::PostgresLogin;

/// Needs no credential of a caller: the host logs in to the database itself.
pub struct PostgresSource {
    database: Database,
}

impl PostgresSource {
    /// Connects to nothing: the first read does.
    pub fn new(login: PostgresLogin) -> Self {
        Self { database: Database::new(login.into_settings()) }
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
