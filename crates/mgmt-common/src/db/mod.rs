//! The doors to the database. Handlers cannot reach the pool behind them.
//!
//! - [`Database::read_as`]: one SELECT as a caller, in one round trip.
//! - [`Database::run_as`]: a transaction as a caller.
//! - [`Database::read_as_worker`], [`Database::run_as_worker`]: the same for background work.
//!
//! Everything goes through unnamed statements, one at a time, so that PgBouncer and Supabase's pooler work in
//! transaction mode; settings are made with `set_config(…, true)` only, so that nothing outlives its transaction.

mod connection;
mod fault;
mod tls;
mod transaction;

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use deadpool_postgres::{Pool, PoolError};
use scoped_futures::ScopedBoxFuture;
use serde::de::DeserializeOwned;
use tokio_postgres::types::Type;

use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::settings::{DatabaseRole, DatabaseSettings};
use connection::Connection;
pub use connection::direct_connection;
pub use transaction::{Parameter, Transaction};

/// A request must be answered 503 inside 5 seconds when the database does not answer.
const REQUEST_LIMIT: Duration = Duration::from_millis(4500);
const WORKER_LIMIT: Duration = Duration::from_secs(25);
/// Older connections are not trusted. NAT gateways and load balancers of AWS forget a connection after 350 seconds at the latest.
const MAX_IDLE: Duration = Duration::from_secs(240);
/// How often a transaction is run when the database asks for a retry (40001, 40P01).
const ATTEMPTS: u32 = 4;

/// What a transaction does: `|tx| async move { … }.scope_boxed()`. (An async closure would read better, but its future
/// cannot be shown to be `Send` today, which axum's handlers need.)
pub trait Work<'work, T>:
    for<'tx> Fn(&'tx Transaction) -> ScopedBoxFuture<'work, 'tx, Result<T>> + Send + Sync
{
}

impl<'work, T, F> Work<'work, T> for F where
    F: for<'tx> Fn(&'tx Transaction) -> ScopedBoxFuture<'work, 'tx, Result<T>> + Send + Sync
{
}

pub struct Database {
    settings: DatabaseSettings,
    pool: OnceLock<Pool>,
    /// By the wall clock: a frozen sandbox's monotonic clock may stand still.
    last_used: Mutex<SystemTime>,
}

/// As whom statements run: the role and the claims that row-level security reads.
struct Identity {
    role: &'static str,
    claims: String,
    limit: Duration,
    /// Instead of what the login has.
    statement_timeout: Option<Duration>,
}

impl Database {
    /// Connects to nothing: the first statement does.
    pub fn new(settings: DatabaseSettings) -> Self {
        Self { settings, pool: OnceLock::new(), last_used: Mutex::new(SystemTime::now()) }
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
    pub async fn run_as<'work, T>(&self, caller: &Caller, work: impl Work<'work, T>) -> Result<T> {
        self.run(&self.request(caller)?, work).await
    }

    /// [`Self::run_as`] for background work.
    pub async fn run_as_worker<'work, T>(&self, work: impl Work<'work, T>) -> Result<T> {
        self.run(&self.worker()?, work).await
    }

    /// [`Self::run_as_worker`] for work that may take until then, whatever the login's limit for a statement is.
    ///
    /// # Errors
    /// As [`Self::run_as`].
    pub async fn run_as_worker_until<'work, T>(&self, deadline: Instant, work: impl Work<'work, T>) -> Result<T> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.run(&Identity { limit: left, statement_timeout: Some(left), ..self.worker()? }, work).await
    }

    /// Whether the database answers, for the health route. It reads no table and sets no role.
    pub async fn answers(&self) -> bool {
        let asked = async {
            match self.ask().await {
                Err(fault) if fault.is_disconnect() => {
                    self.forget_connections();
                    self.ask().await
                }
                other => other,
            }
        };
        matches!(tokio::time::timeout(Duration::from_secs(2), asked).await, Ok(Ok(())))
    }

    async fn ask(&self) -> Result<(), fault::Fault> {
        self.connect().await?.query("-- ask\nselect 1", &[]).await.map(drop)
    }

    fn request(&self, caller: &Caller) -> Result<Identity> {
        self.identity(DatabaseRole::Request, caller.database_claims())
    }

    fn worker(&self) -> Result<Identity> {
        self.identity(DatabaseRole::Worker, String::new())
    }

    /// A deployed function has one of the two credentials; using it for the other kind of work is a fault in the code.
    fn identity(&self, role: DatabaseRole, claims: String) -> Result<Identity> {
        if self.settings.role != role {
            return Err(Error::Internal(format!("this function's database login cannot act as {role:?}")));
        }
        Ok(match role {
            DatabaseRole::Request => {
                Identity { role: "module_mgmt_request", claims, limit: REQUEST_LIMIT, statement_timeout: None }
            }
            DatabaseRole::Worker => {
                Identity { role: "module_mgmt_worker", claims, limit: WORKER_LIMIT, statement_timeout: None }
            }
        })
    }

    async fn read<T: DeserializeOwned>(
        &self,
        identity: &Identity,
        statement: &'static str,
        parameters: &[Option<&str>],
    ) -> Result<Vec<T>> {
        let reading = async {
            let first = self.try_read(identity, statement, parameters).await;
            match first {
                // A sandbox that was frozen wakes up with connections that died meanwhile.
                Err(error) if error.is_disconnect() => {
                    self.forget_connections();
                    self.try_read(identity, statement, parameters).await
                }
                other => other,
            }
        };
        let rows = within(identity.limit, reading).await?;
        rows.iter()
            .map(|json| {
                serde_json::from_str(json).map_err(|error| Error::Internal(format!("row of {statement:?}: {error}")))
            })
            .collect()
    }

    async fn try_read(
        &self,
        identity: &Identity,
        statement: &str,
        parameters: &[Option<&str>],
    ) -> Result<Vec<String>, fault::Fault> {
        let connection = self.connect().await?;
        let rows = connection
            .query(
                "select module_mgmt.read_as($1, $2, $3, $4)",
                &[
                    (&identity.role, Type::TEXT),
                    (&identity.claims, Type::TEXT),
                    (&statement, Type::TEXT),
                    (&parameters, Type::TEXT_ARRAY),
                ],
            )
            .await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// The limit is over all attempts: a request waits no longer because the database asked for a retry.
    async fn run<'work, T>(&self, identity: &Identity, work: impl Work<'work, T>) -> Result<T> {
        let attempts = async {
            let mut attempt = 1;
            loop {
                match self.run_once(identity, &work).await {
                    Err(fault) if fault.wants_retry() && attempt < ATTEMPTS => {
                        tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
                        attempt += 1;
                    }
                    other => return other,
                }
            }
        };
        within(identity.limit, attempts).await?
    }

    async fn run_once<'work, T>(
        &self,
        identity: &Identity,
        work: &impl Work<'work, T>,
    ) -> Result<Result<T>, fault::Fault> {
        let transaction = match self.begin(identity).await {
            // As with reads: a connection that died while the sandbox was frozen has done nothing yet.
            Err(fault) if fault.is_disconnect() => {
                self.forget_connections();
                self.begin(identity).await?
            }
            other => other?,
        };
        match work(&transaction).await {
            Ok(value) => transaction.commit().await.map(|()| Ok(value)),
            Err(error) => {
                let retry = transaction.wants_retry();
                transaction.rollback().await;
                if retry { Err(fault::Fault::retry(error)) } else { Ok(Err(error)) }
            }
        }
    }

    async fn begin(&self, identity: &Identity) -> Result<Transaction, fault::Fault> {
        let Identity { role, claims, statement_timeout, .. } = identity;
        Transaction::begin(self.connect().await?, role, claims, *statement_timeout).await
    }

    async fn connect(&self) -> Result<Connection, fault::Fault> {
        let pool = match self.pool.get() {
            Some(pool) => pool,
            None => {
                let made = connection::pool(&self.settings).map_err(fault::Fault::settings)?;
                self.pool.get_or_init(|| made)
            }
        };
        if self.was_idle() {
            self.forget_connections();
        }
        pool.get().await.map(Connection::new).map_err(|error: PoolError| fault::Fault::from(error))
    }

    /// A network on the way drops idle connections without a word, and the next statement would wait for its whole limit.
    fn was_idle(&self) -> bool {
        let mut last_used = self.last_used.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = std::mem::replace(&mut *last_used, SystemTime::now()).elapsed();
        idle.is_ok_and(|idle| idle > MAX_IDLE)
    }

    fn forget_connections(&self) {
        if let Some(pool) = self.pool.get() {
            pool.retain(|_, _| false);
        }
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, fault::Fault>>) -> Result<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(fault::Fault::timeout().into()),
    }
}
