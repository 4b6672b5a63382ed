//! One transaction behind a door.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::connection::Connection;
use super::fault::Fault;
use crate::error::Result;

/// A statement's parameter and its type: unnamed statements carry their types, so that nothing needs a second round trip.
pub type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// A transaction that runs as one role with one caller's claims. It ends in the door that made it.
pub struct Transaction {
    connection: Connection,
    state: Mutex<State>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Sound,
    /// A statement failed: Postgres answers `commit` with a silent rollback.
    Failed,
    /// A statement failed because of a concurrent transaction: the whole may run again.
    WantsRetry,
}

impl Transaction {
    pub(super) async fn begin(
        connection: Connection,
        role: &str,
        claims: &str,
        statement_timeout: Option<Duration>,
    ) -> Result<Self, Fault> {
        connection.begin().await?;
        let settings = "-- begin
            select set_config('role', $1, true), set_config('request.jwt.claims', $2, true),
              set_config('statement_timeout', coalesce($3, current_setting('statement_timeout')), true)";
        // Zero would be no limit at all.
        let timeout = statement_timeout.map(|timeout| timeout.as_millis().max(1).to_string());
        connection.query(settings, &[(&role, Type::TEXT), (&claims, Type::TEXT), (&timeout, Type::TEXT)]).await?;
        Ok(Self { connection, state: Mutex::new(State::Sound) })
    }

    /// # Errors
    /// What the database said.
    pub async fn query(&self, statement: &'static str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>> {
        Ok(self.noted(self.connection.query(statement, parameters).await)?)
    }

    /// The only row, or none. A statement that can answer more belongs to [`Self::query`].
    pub async fn query_opt(&self, statement: &'static str, parameters: &[Parameter<'_>]) -> Result<Option<Row>> {
        Ok(self.query(statement, parameters).await?.into_iter().next())
    }

    /// How many rows were written.
    pub async fn execute(&self, statement: &'static str, parameters: &[Parameter<'_>]) -> Result<u64> {
        Ok(self.noted(self.connection.execute(statement, parameters).await)?)
    }

    pub(super) fn wants_retry(&self) -> bool {
        self.state() == State::WantsRetry
    }

    /// Commits. Dropping a transaction instead discards its connection, which rolls it back.
    pub(super) async fn commit(self) -> Result<(), Fault> {
        if self.state() != State::Sound {
            return Err(Fault::settings("a failed statement was ignored before commit".into()));
        }
        self.connection.end("commit").await
    }

    pub(super) async fn rollback(self) {
        // Where this fails the connection is dropped in the transaction, and so discarded.
        let _ = self.connection.end("rollback").await;
    }

    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn noted<T>(&self, result: Result<T, Fault>) -> Result<T, Fault> {
        if let Err(fault) = &result {
            let state = if fault.wants_retry() { State::WantsRetry } else { State::Failed };
            *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        }
        result
    }
}
