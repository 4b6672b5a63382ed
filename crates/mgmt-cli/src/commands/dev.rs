//! `mgmt dev`: the local platform.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};

use crate::dev::home::Home;
use crate::dev::pgbouncer::PgBouncer;
use crate::dev::postgres::Postgres;
use crate::output::Failure;

/// Run the whole platform on this machine.
#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// The project's folder.
    #[arg(long, default_value = ".")]
    project: PathBuf,
    /// Start only this part, run the command after `--`, and end with it.
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// The command to run with `--only`.
    #[arg(last = true)]
    command: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Part {
    /// Postgres and PgBouncer, for tests; their addresses are in TEST_DATABASE_URL and TEST_PGBOUNCER.
    Database,
}

impl Dev {
    pub(crate) fn json(&self) -> bool {
        false
    }
}

pub(crate) async fn run(args: &Dev) -> Result<ExitCode, Failure> {
    let home = Home::open(&args.project)?;
    match args.only {
        Some(Part::Database) => Ok(with_database(&home, &args.command).await?),
        None => Err(Failure::new("only --only database is there yet")),
    }
}

async fn with_database(home: &Home, command: &[String]) -> Result<ExitCode> {
    let [program, arguments @ ..] = command else { bail!("--only needs a command after --") };
    let postgres = Postgres::start(home, "test-cluster", false).await?;
    let pgbouncer = PgBouncer::start(home, &postgres).await?;
    let status = tokio::process::Command::new(program)
        .args(arguments)
        .env("TEST_DATABASE_URL", postgres.url("postgres"))
        .env("TEST_PGBOUNCER", format!("127.0.0.1:{}", pgbouncer.port))
        .status()
        .await
        .with_context(|| format!("cannot start {program}"))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
