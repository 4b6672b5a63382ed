//! The pool, and a connection that leaves it unless its last statement ended well.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Row};

use super::error::{Fault, with_sources};
use super::{Parameter, tls};
use crate::settings::DatabaseSettings;

/// A sandbox serves one request at a time; the second connection is for the moment when the first one died.
const POOL_SIZE: usize = 2;

pub(super) fn pool(settings: &DatabaseSettings) -> Result<Pool, String> {
    let mut config: Config = settings.url.parse().map_err(|error| format!("DATABASE_URL: {error}"))?;
    config.connect_timeout(Duration::from_secs(3));
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = if is_loopback(&config) && settings.ca_pem.is_none() {
        Manager::from_config(config, NoTls, recycling)
    } else {
        // Verify-full: tokio-postgres hands the host's name to rustls, which checks chain and name.
        config.ssl_mode(SslMode::Require);
        let tls = tls::connector(&hosts(&config), settings.ca_pem.as_deref())?;
        Manager::from_config(config, tls, recycling)
    };
    let timeouts = Timeouts {
        wait: Some(Duration::from_secs(3)),
        create: Some(Duration::from_secs(3)),
        recycle: Some(Duration::from_secs(1)),
    };
    Pool::builder(manager)
        .max_size(settings.pool_size.unwrap_or(POOL_SIZE))
        .timeouts(timeouts)
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| format!("DATABASE_URL: {error}"))
}

/// Moves the messages of a connection until it ends.
pub type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One connection outside any pool, for migrations: it keeps its session, and the caller drives it. Warnings of the server
/// are given to `on_warning`.
///
/// # Errors
/// What went wrong, in words for a person.
pub async fn direct_connection(
    url: &str,
    ca_pem: Option<&str>,
    on_warning: fn(&str),
) -> Result<(Client, Driver), String> {
    let mut config: Config = url.parse().map_err(|error| format!("the database URL cannot be read: {error}"))?;
    config.connect_timeout(Duration::from_secs(10)).application_name("mgmt migrate");
    if is_loopback(&config) && ca_pem.is_none() {
        let (client, connection) = config.connect(NoTls).await.map_err(|error| with_sources(&error))?;
        return Ok((client, Box::pin(drive(connection, on_warning))));
    }
    config.ssl_mode(SslMode::Require);
    let tls = tls::connector(&hosts(&config), ca_pem)?;
    let (client, connection) = config.connect(tls).await.map_err(|error| with_sources(&error))?;
    Ok((client, Box::pin(drive(connection, on_warning))))
}

/// Moves a connection's messages until it ends; its errors show in the statement that waits for an answer.
async fn drive<S, T>(mut connection: tokio_postgres::Connection<S, T>, on_warning: fn(&str))
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notice(notice) = message
            && notice.severity() == "WARNING"
        {
            on_warning(notice.message());
        }
    }
}

/// Plain connections are for this machine only; a `hostaddr` elsewhere overrules a local name.
fn is_loopback(config: &Config) -> bool {
    let local_host = |host: &Host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
        Host::Unix(_) => true,
    };
    config.get_hosts().iter().all(local_host) && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

fn hosts(config: &Config) -> Vec<String> {
    let name = |host: &Host| match host {
        Host::Tcp(name) => Some(name.clone()),
        Host::Unix(_) => None,
    };
    config.get_hosts().iter().filter_map(name).collect()
}

/// A pooled connection. It is given back only while no statement is under way on it: a request that was cancelled or
/// ran into its time limit must not leave its transaction, role or answer to the next one.
pub(super) struct Connection {
    object: Option<Object>,
    busy: AtomicBool,
    in_transaction: AtomicBool,
}

impl Connection {
    pub(super) fn new(object: Object) -> Self {
        Self { object: Some(object), busy: false.into(), in_transaction: false.into() }
    }

    /// Runs one unnamed statement in one round trip.
    pub(super) async fn query(&self, statement: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Fault> {
        let parameters: Vec<_> = parameters.iter().map(Parameter::typed).collect();
        self.guarded(async |object| object.query_typed(statement, &parameters).await).await
    }

    pub(super) async fn execute(&self, statement: &str, parameters: &[Parameter<'_>]) -> Result<u64, Fault> {
        let parameters: Vec<_> = parameters.iter().map(Parameter::typed).collect();
        self.guarded(async |object| object.execute_typed(statement, &parameters).await).await
    }

    async fn batch(&self, statements: &str) -> Result<(), Fault> {
        self.guarded(async |object| object.batch_execute(statements).await).await
    }

    /// Begins a transaction, whose level does not follow the database's settings: who waits for a lock must then see what the one before
    /// has committed. Until [`Self::end`] succeeds, dropping the connection discards it.
    ///
    /// `settings` is a statement whose values are literals, because one message takes no parameters: so the whole is one round trip.
    pub(super) async fn begin(&self, settings: &str) -> Result<(), Fault> {
        self.in_transaction.store(true, Relaxed);
        self.batch(&format!("begin isolation level read committed; {settings}")).await
    }

    /// `commit` or `rollback`.
    pub(super) async fn end(&self, statement: &'static str) -> Result<(), Fault> {
        self.batch(statement).await?;
        self.in_transaction.store(false, Relaxed);
        Ok(())
    }

    async fn guarded<T>(&self, run: impl AsyncFnOnce(&Object) -> Result<T, tokio_postgres::Error>) -> Result<T, Fault> {
        let Some(object) = &self.object else { return Err(Fault::Timeout) };
        self.busy.store(true, Relaxed);
        let result = run(object).await;
        self.busy.store(false, Relaxed);
        result.map_err(Fault::from)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if (*self.busy.get_mut() || *self.in_transaction.get_mut())
            && let Some(object) = self.object.take()
        {
            drop(Object::take(object));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_this_machine_may_be_reached_without_tls() {
        let check = |url: &str, expected: bool| assert_eq!(is_loopback(&url.parse().unwrap()), expected, "{url}");
        check("postgres://u@127.0.0.1/db", true);
        check("postgres://u@localhost:6543/db", true);
        check("postgres://u@[::1]/db", true);
        check("postgres://u@db.example.com/db", false);
        check("postgres://u@localhost.example.com/db?sslmode=disable", false);
        check("postgres://u@localhost/db?hostaddr=10.0.0.1", false);
        check("postgres://u@127.0.0.1,db.example.com/db", false);
    }
}
