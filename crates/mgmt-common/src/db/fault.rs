//! What the database said, sorted by what a client can do about it.

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

use crate::error::{Dependency, Error};

#[derive(Debug)]
pub(super) enum Fault {
    Database(tokio_postgres::Error),
    /// No connection: refused, wrong password, TLS, too many, or the pool's own time limit.
    NoConnection(String),
    Timeout,
    Settings(String),
    /// A statement of the closure asked for a retry; this is what to answer when there was one too many.
    Retry(Error),
}

impl Fault {
    pub(super) fn timeout() -> Self {
        Self::Timeout
    }

    pub(super) fn settings(message: String) -> Self {
        Self::Settings(message)
    }

    pub(super) fn retry(error: Error) -> Self {
        Self::Retry(error)
    }

    /// Serialisation failure and deadlock: the transaction did nothing and may run again.
    pub(super) fn wants_retry(&self) -> bool {
        match self {
            Self::Retry(_) => true,
            Self::Database(error) => {
                matches!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
            }
            _ => false,
        }
    }

    /// The connection is gone, and a statement that only reads may be sent again on another one.
    pub(super) fn is_disconnect(&self) -> bool {
        match self {
            Self::Database(error) => {
                error.is_closed() || error.code().is_none() || error.code().is_some_and(ends_connection)
            }
            _ => false,
        }
    }
}

/// Class 57P: the server shuts down or ended this session.
fn ends_connection(code: &SqlState) -> bool {
    code.code().starts_with("57P") || code.code().starts_with("08")
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<PoolError> for Fault {
    fn from(error: PoolError) -> Self {
        // The backend's own message says more than the pool's ("wrong password", "certificate unknown").
        Self::NoConnection(with_sources(&error))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let unavailable = |cause: String| Self::Unavailable { dependency: Dependency::Database, cause };
        match fault {
            Fault::NoConnection(cause) => unavailable(cause),
            Fault::Timeout => unavailable("it did not answer in time".into()),
            Fault::Settings(message) => Self::Internal(message),
            Fault::Retry(error) => error,
            Fault::Database(error) => {
                let text = with_sources(&error);
                let Some(code) = error.code() else { return unavailable(text) };
                match code.code() {
                    // Row-level security or a missing grant refused what the handler had allowed.
                    "42501" => {
                        tracing::error!(error = text, "the database refused what the handler allowed");
                        Self::Forbidden
                    }
                    // JSON knows numbers that numeric does not.
                    "22003" => Self::malformed("a number is outside the range that can be stored"),
                    // A function, table, column or schema that this build needs is not there.
                    "42883" | "42P01" | "42703" | "3F000" => Self::SchemaOutdated(text),
                    code if is_passing(code) => unavailable(text),
                    _ => Self::Internal(text),
                }
            }
        }
    }
}

/// Connection trouble (08), resources and disk (53), cancelled or shut down (57), serialisation and deadlock (40),
/// lock timeout (55P03), a read-only standby after a failover (25006): the same request may succeed later.
fn is_passing(code: &str) -> bool {
    ["08", "53", "57", "40"].iter().any(|class| code.starts_with(class)) || code == "55P03" || code == "25006"
}

/// An error with what caused it: the outermost words alone say little.
pub(super) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
