//! Schema files and migrations through refinery, under an advisory lock.

pub(crate) mod files;
mod history;

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use mgmt_common::db::direct_connection;
use refinery::Runner;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::doctor::finding::Finding;
use crate::doctor::look::look;
use crate::output::progress;

/// The key of our advisory lock: "module-mgmt" as a number of our own choosing.
const LOCK: i64 = 0x006d_6f64_6d67_6d74;
const LOCK_WAIT: Duration = Duration::from_secs(60);

/// New passwords of the two logins.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Passwords<'a> {
    pub(crate) request: Option<&'a str>,
    pub(crate) worker: Option<&'a str>,
}

/// What came of a migration.
#[derive(Debug)]
pub(crate) struct Migrated {
    /// The files that ran.
    pub(crate) applied: Vec<String>,
    /// What of the database is not as the files make it.
    pub(crate) findings: Vec<Finding>,
}

/// Brings the database to this version and answers what was applied. With `again` the schema files run whether they have or not. Each file is one transaction with its entry in
/// refinery's history, so that a killed run leaves whole files only; a second runner waits for the first.
pub(crate) async fn migrate(
    url: &str,
    ca_pem: Option<&str>,
    bootstrap_roles: bool,
    again: bool,
    passwords: Passwords<'_>,
) -> Result<Migrated> {
    let (mut client, connection) = direct_connection(url, ca_pem, warn).await.map_err(anyhow::Error::msg)?;
    let connection = tokio::spawn(connection);
    refuse_pooler(&client, url, ca_pem).await?;
    lock(&client).await?;
    if bootstrap_roles {
        for (name, sql) in files::files("bootstrap") {
            client.batch_execute(sql).await.with_context(|| format!("db/bootstrap/{name}"))?;
        }
    }
    let migrations = files::migrations()?;
    history::reopen_superseded(&client, &migrations).await?;
    if again {
        history::reopen_all(&client).await?;
    }
    let mut runner = Runner::new(&migrations);
    runner.set_migration_table_name(files::HISTORY);
    let report = runner.run_async(&mut client).await.context("the schema was not brought to this version")?;
    history::protect(&client).await?;
    set_password(&client, "module_mgmt_request_login", passwords.request).await?;
    set_password(&client, "module_mgmt_worker_login", passwords.worker).await?;
    let findings = look(&client).await.context("the schema was brought to this version, but cannot be looked at")?;
    // Ending the session gives the lock back.
    drop(client);
    connection.await.ok();
    let names =
        report.applied_migrations().iter().map(|migration| format!("{} {}", migration.version(), migration.name()));
    Ok(Migrated { applied: names.collect(), findings })
}

fn warn(message: &str) {
    progress(&format!("warning: {message}"));
}

/// A pooler in transaction mode lends our idle session to the next client, who would then share our lock.
async fn refuse_pooler(client: &Client, url: &str, ca_pem: Option<&str>) -> Result<()> {
    let own = session(client).await?;
    let (next, connection) = direct_connection(url, ca_pem, warn).await.map_err(anyhow::Error::msg)?;
    tokio::spawn(connection);
    if session(&next).await? == own || session(client).await? != own {
        bail!("this connection goes through a pooler; migrate needs a direct one");
    }
    Ok(())
}

/// Which server process answers. A simple query: a pooler may refuse prepared ones, and we want to say why.
async fn session(client: &Client) -> Result<Option<String>> {
    let answer = client.simple_query("select pg_backend_pid()").await?;
    let row = answer.into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(row)
}

/// The lock lives in the session, so a runner that dies gives it back.
async fn lock(client: &Client) -> Result<()> {
    let started = std::time::Instant::now();
    loop {
        if client.query_one("select pg_try_advisory_lock($1)", &[&LOCK]).await?.get(0) {
            return Ok(());
        }
        if started.elapsed() > LOCK_WAIT {
            bail!("another migration has been running for {} seconds", LOCK_WAIT.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// ALTER ROLE takes no parameters; format(%L) quotes the password in the database.
async fn set_password(client: &Client, login: &str, password: Option<&str>) -> Result<()> {
    let Some(password) = password else { return Ok(()) };
    let row = client
        .query_one("select format('alter role %I password %L', $1::text, $2::text)", &[&login, &password])
        .await?;
    let statement: String = row.get(0);
    client.batch_execute(&statement).await.with_context(|| format!("the password of {login} cannot be set"))
}
