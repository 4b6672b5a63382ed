//! What the database said, sorted by what a client can do about it.

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

/// Why a statement or a transaction did not do its work. The texts are the database's own and for the log only.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not answer, or not now; the same request may succeed later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Row-level security or a missing grant refused what the code had allowed.
    #[error("the database refused what the function allowed: {0}")]
    Refused(String),
    /// An organisation has sent as much as it may in this minute.
    #[error("too many requests; the next minute begins in {retry_after_seconds} s")]
    TooMany { retry_after_seconds: u32 },
    /// JSON knows numbers that `numeric` does not.
    #[error("a number is outside the range that can be stored")]
    NumberOutOfRange,
    /// A write found no row to change: it does not exist, or row-level security hides it.
    #[error("there is no such row")]
    NoSuchRow,
    /// A function, table, column or schema that this build needs is not there.
    #[error("the database schema is older than this build; run mgmt migrate: {0}")]
    SchemaTooOld(String),
    /// A fault in the code or in its settings.
    #[error("{0}")]
    Internal(String),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A fault on its way out of a door, which decides whether to try again.
#[derive(Debug)]
pub(super) enum Fault {
    Database(tokio_postgres::Error),
    /// No connection: refused, wrong password, TLS, too many, or the pool's own time limit.
    NoConnection(String),
    Timeout,
    Settings(String),
}

impl Fault {
    /// Serialisation failure and deadlock: the transaction did nothing and may run again.
    pub(super) fn wants_retry(&self) -> bool {
        match self {
            Self::Database(error) => {
                matches!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
            }
            _ => false,
        }
    }

    /// The connection is gone, and a statement that only reads may be sent again on another one.
    pub(super) fn is_disconnect(&self) -> bool {
        match self {
            Self::Database(error) => error.is_closed() || error.code().is_none_or(ends_connection),
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
        match fault {
            Fault::NoConnection(cause) => Self::Unavailable(cause),
            Fault::Timeout => Self::Unavailable("it did not answer in time".into()),
            Fault::Settings(message) => Self::Internal(message),
            Fault::Database(error) => {
                let text = with_sources(&error);
                let Some(code) = error.code() else { return Self::Unavailable(text) };
                match code.code() {
                    "42501" => Self::Refused(text),
                    "MM429" => Self::TooMany { retry_after_seconds: seconds(&error) },
                    "22003" => Self::NumberOutOfRange,
                    "42883" | "42P01" | "42703" | "3F000" => Self::SchemaTooOld(text),
                    code if is_passing(code) => Self::Unavailable(text),
                    _ => Self::Internal(text),
                }
            }
        }
    }
}

/// What `module_mgmt.brake` tells in its detail.
fn seconds(error: &tokio_postgres::Error) -> u32 {
    let detail = error.as_db_error().and_then(|error| error.detail());
    detail.and_then(|text| text.parse().ok()).unwrap_or(60)
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
