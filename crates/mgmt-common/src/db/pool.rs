//! The connections of one sandbox, made when they are first needed and forgotten when they cannot be trusted.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use deadpool_postgres::{Pool, PoolError};

use super::connection::{self, Connection};
use super::error::{Fault, Result};
use crate::settings::DatabaseSettings;

/// Older connections are not trusted. NAT gateways and load balancers of AWS forget a connection after 350 seconds at the latest.
const MAX_IDLE: Duration = Duration::from_secs(240);

pub(super) struct Connections {
    settings: DatabaseSettings,
    pool: OnceLock<Pool>,
    /// By the wall clock: a frozen sandbox's monotonic clock may stand still.
    last_used: Mutex<SystemTime>,
}

impl Connections {
    pub(super) fn new(settings: DatabaseSettings) -> Self {
        Self { settings, pool: OnceLock::new(), last_used: Mutex::new(SystemTime::now()) }
    }

    pub(super) async fn connect(&self) -> Result<Connection, Fault> {
        let pool = match self.pool.get() {
            Some(pool) => pool,
            None => {
                let made = connection::pool(&self.settings).map_err(Fault::Settings)?;
                self.pool.get_or_init(|| made)
            }
        };
        if self.was_idle() {
            self.forget();
        }
        pool.get().await.map(Connection::new).map_err(|error: PoolError| Fault::from(error))
    }

    /// A network on the way drops idle connections without a word, and the next statement would wait for its whole limit.
    fn was_idle(&self) -> bool {
        let mut last_used = self.last_used.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = std::mem::replace(&mut *last_used, SystemTime::now()).elapsed();
        idle.is_ok_and(|idle| idle > MAX_IDLE)
    }

    pub(super) fn forget(&self) {
        if let Some(pool) = self.pool.get() {
            pool.retain(|_, _| false);
        }
    }
}

/// # Errors
/// What the work met, or that it took longer.
pub(super) async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Fault>>) -> Result<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(Fault::Timeout.into()),
    }
}
