//! One transaction behind a door.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use postgres_protocol::escape::escape_literal;
use scoped_futures::ScopedBoxFuture;
use serde::de::DeserializeOwned;

use super::connection::Connection;
use super::error::{Error, Fault, Result};
use super::{Parameter, rows};

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
        // Zero would be no limit at all.
        let timeout = statement_timeout.map(|timeout| timeout.as_millis().max(1).to_string());
        let settings =
            [("role", Some(role)), ("request.jwt.claims", Some(claims)), ("statement_timeout", timeout.as_deref())];
        let settings = settings.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let settings = settings.map(|(name, value)| format!("set_config('{name}', {}, true)", escape_literal(value)));
        connection.begin(&format!("select {}", settings.collect::<Vec<_>>().join(", "))).await?;
        Ok(Self { connection, state: Mutex::new(State::Sound) })
    }

    /// The rows of a statement, by the names of its columns; a write with `returning` has rows as well.
    ///
    /// # Errors
    /// What the database said; [`Error::Internal`] for a row that is no `T`.
    pub async fn read<T: DeserializeOwned>(
        &self,
        statement: &'static str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<T>> {
        let read = self.connection.query(&rows::as_json(statement), parameters).await;
        let read = self.noted(read)?;
        read.iter().map(|row| rows::parse(statement, row.get(0))).collect()
    }

    /// The only row, or none. A statement that can answer more belongs to [`Self::read`].
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_opt<T: DeserializeOwned>(
        &self,
        statement: &'static str,
        parameters: &[Parameter<'_>],
    ) -> Result<Option<T>> {
        Ok(self.read(statement, parameters).await?.into_iter().next())
    }

    /// The only row of a statement that always has one.
    ///
    /// # Errors
    /// As [`Self::read`]; [`Error::NoSuchRow`] where there is none.
    pub async fn read_one<T: DeserializeOwned>(
        &self,
        statement: &'static str,
        parameters: &[Parameter<'_>],
    ) -> Result<T> {
        self.read_opt(statement, parameters).await?.ok_or(Error::NoSuchRow)
    }

    /// How many rows were written.
    ///
    /// # Errors
    /// What the database said.
    pub async fn execute(&self, statement: &'static str, parameters: &[Parameter<'_>]) -> Result<u64> {
        Ok(self.noted(self.connection.execute(statement, parameters).await)?)
    }

    /// Writes exactly one row. Row-level security turns a forbidden write into one of no rows, without an error.
    ///
    /// # Errors
    /// [`Error::NoSuchRow`] where none was written, [`Error::Internal`] where several were.
    pub async fn execute_one(&self, statement: &'static str, parameters: &[Parameter<'_>]) -> Result<()> {
        match self.execute(statement, parameters).await? {
            1 => Ok(()),
            0 => Err(Error::NoSuchRow),
            count => Err(Error::Internal(format!("{}: {count} rows were written", rows::name(statement)))),
        }
    }

    pub(super) fn wants_retry(&self) -> bool {
        self.state() == State::WantsRetry
    }

    /// Commits. Dropping a transaction instead discards its connection, which rolls it back.
    pub(super) async fn commit(self) -> Result<(), Fault> {
        if self.state() != State::Sound {
            return Err(Fault::Settings("a failed statement was ignored before commit".into()));
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

/// What a transaction does: `|tx| async move { … }.scope_boxed()`. (An async closure would read better, but its future
/// cannot be shown to be `Send` today, which axum's handlers need.)
pub trait Work<'work, T, E>:
    for<'tx> Fn(&'tx Transaction) -> ScopedBoxFuture<'work, 'tx, Result<T, E>> + Send + Sync
{
}

impl<'work, T, E, F> Work<'work, T, E> for F where
    F: for<'tx> Fn(&'tx Transaction) -> ScopedBoxFuture<'work, 'tx, Result<T, E>> + Send + Sync
{
}
