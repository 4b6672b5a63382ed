//! The doors to the database. Handlers cannot reach the pool behind them.
//!
//! - [`Database::read_as`]: one SELECT as a caller, in one round trip; [`Database::read_page_as`] for lists.
//! - [`Database::run_as`]: a transaction as a caller.
//! - [`Database::read_as_worker`], [`Database::run_as_worker`]: the same for background work.
//!
//! Everything goes through unnamed statements, one at a time, so that PgBouncer and Supabase's pooler work in
//! transaction mode; settings are made with `set_config(…, true)` only, so that nothing outlives its transaction.

mod attempts;
mod connection;
mod error;
mod identity;
mod page;
mod parameter;
mod pool;
mod rows;
mod tls;
mod transaction;

use std::time::{Duration, Instant};

use module_mgmt_protocol::caller::Caller;
use serde::de::DeserializeOwned;

use crate::params;
use crate::settings::{DatabaseRole, DatabaseSettings};
pub use connection::{Driver, direct_connection};
use error::Fault;
pub use error::{Error, Result};
use identity::Identity;
pub use identity::claims;
pub use page::{Page, PageLimits};
pub use parameter::{Element, Parameter, Typed};
use pool::{Connections, within};
pub use transaction::{Transaction, Work};

pub struct Database {
    connections: Connections,
    login: DatabaseRole,
}

impl Database {
    /// Connects to nothing: the first statement does.
    pub fn new(settings: DatabaseSettings) -> Self {
        Self { login: settings.role, connections: Connections::new(settings) }
    }

    /// Runs one SELECT as the caller. Parameters are `($1)[n]`, n from 1, as text; rows are read by column name.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer in time; a dead connection is retried once.
    pub async fn read_as<T: DeserializeOwned>(
        &self,
        caller: &Caller,
        statement: &'static str,
        parameters: &[Option<&str>],
    ) -> Result<Vec<T>> {
        self.read(&self.request(caller)?, statement, parameters).await
    }

    /// [`Self::read_as`] for a list: its first rows, as many as `most` and an answer allow.
    ///
    /// # Errors
    /// As [`Self::read_as`].
    pub async fn read_page_as<T: DeserializeOwned>(
        &self,
        caller: &Caller,
        statement: &'static str,
        parameters: &[Option<&str>],
        most: PageLimits,
    ) -> Result<Page<T>> {
        let identity = self.request(caller)?;
        let mut rows = self.texts(&identity, statement, parameters, Some(most)).await?;
        let has_more = rows.pop_if(|last| last.is_none()).is_some();
        let rows: Result<Vec<T>> = rows.iter().flatten().map(|json| rows::parse(statement, json)).collect();
        Ok(Page { rows: rows?, has_more })
    }

    /// [`Self::read_as`] for background work.
    pub async fn read_as_worker<T: DeserializeOwned>(
        &self,
        statement: &'static str,
        parameters: &[Option<&str>],
    ) -> Result<Vec<T>> {
        self.read(&self.worker()?, statement, parameters).await
    }

    /// Runs a transaction as the caller and commits it when the closure succeeds. The closure may run again when the
    /// database asks for it (serialisation failure, deadlock), so it must have no other effect.
    ///
    /// # Errors
    /// What the closure returns; [`Error::Unavailable`] when the database does not answer in time.
    pub async fn run_as<'work, T, E: From<Error>>(
        &self,
        caller: &Caller,
        work: impl Work<'work, T, E>,
    ) -> Result<T, E> {
        attempts::run(&self.connections, &self.request(caller)?, work).await
    }

    /// [`Self::run_as`] for background work.
    pub async fn run_as_worker<'work, T, E: From<Error>>(&self, work: impl Work<'work, T, E>) -> Result<T, E> {
        attempts::run(&self.connections, &self.worker()?, work).await
    }

    /// [`Self::run_as_worker`] for work that may take until then, whatever the login's limit for a statement is.
    ///
    /// # Errors
    /// As [`Self::run_as`].
    pub async fn run_as_worker_until<'work, T, E: From<Error>>(
        &self,
        deadline: Instant,
        work: impl Work<'work, T, E>,
    ) -> Result<T, E> {
        let left = deadline.saturating_duration_since(Instant::now());
        attempts::run(
            &self.connections,
            &Identity { limit: left, statement_timeout: Some(left), ..self.worker()? },
            work,
        )
        .await
    }

    /// Whether the database answers, for the health route. It reads no table and sets no role.
    pub async fn answers(&self) -> bool {
        let asked = async {
            match self.ask().await {
                Err(fault) if fault.is_disconnect() => {
                    self.connections.forget();
                    self.ask().await
                }
                other => other,
            }
        };
        matches!(tokio::time::timeout(Duration::from_secs(2), asked).await, Ok(Ok(())))
    }

    async fn ask(&self) -> Result<(), Fault> {
        self.connections.connect().await?.query("-- ask\nselect 1", &[]).await.map(drop)
    }

    fn request(&self, caller: &Caller) -> Result<Identity> {
        Identity::request(self.login, caller)
    }

    fn worker(&self) -> Result<Identity> {
        Identity::worker(self.login)
    }

    async fn read<T: DeserializeOwned>(
        &self,
        identity: &Identity,
        statement: &'static str,
        parameters: &[Option<&str>],
    ) -> Result<Vec<T>> {
        let rows = self.texts(identity, statement, parameters, None).await?;
        rows.iter().flatten().map(|json| rows::parse(statement, json)).collect()
    }

    /// Rows as JSON; of a page, a last `None` says that there are more.
    async fn texts(
        &self,
        identity: &Identity,
        statement: &str,
        parameters: &[Option<&str>],
        most: Option<PageLimits>,
    ) -> Result<Vec<Option<String>>> {
        let reading = async {
            let first = self.try_read(identity, statement, parameters, most).await;
            match first {
                // A sandbox that was frozen wakes up with connections that died meanwhile.
                Err(error) if error.is_disconnect() => {
                    self.connections.forget();
                    self.try_read(identity, statement, parameters, most).await
                }
                other => other,
            }
        };
        within(identity.limit, reading).await
    }

    async fn try_read(
        &self,
        identity: &Identity,
        statement: &str,
        parameters: &[Option<&str>],
        most: Option<PageLimits>,
    ) -> Result<Vec<Option<String>>, Fault> {
        let connection = self.connections.connect().await?;
        let parameters: Vec<Option<&str>> = parameters.to_vec();
        let rows = match most {
            None => {
                let door =
                    "select module_mgmt.read_as(role_name => $1, claims => $2, statement => $3, parameters => $4)";
                connection.query(door, params![identity.role, identity.claims, statement, parameters]).await?
            }
            Some(PageLimits { rows, bytes }) => {
                let door =
                    "select module_mgmt.read_page_as(role_name => $1, claims => $2, statement => $3, parameters => $4,
                    most_rows => $5, most_bytes => $6)";
                let rows = i32::from(rows);
                let parameters = params![identity.role, identity.claims, statement, parameters, rows, bytes];
                connection.query(door, parameters).await?
            }
        };
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}
