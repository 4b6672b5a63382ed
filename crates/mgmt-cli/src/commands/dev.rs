//! `mgmt dev`: the local platform.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use crate::dev::home::Home;
use crate::dev::pgbouncer::PgBouncer;
use crate::dev::platform::{Data, Platform};
use crate::dev::postgres::Postgres;
use crate::dev::process::Guest;
use crate::dev::seed::seed;
use crate::dev::smoke::{self, Report};
use crate::output::{Failure, progress, table, write};

/// Run the whole platform on this machine: Postgres, a local AWS, the functions, an HTTP API.
#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// The project's folder.
    #[arg(long, default_value = ".")]
    project: PathBuf,
    /// The port of the API; a free one by default.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Run the main job once on a fresh database, show what was observed, and end.
    #[arg(long)]
    smoke: bool,
    /// With --smoke: print one JSON object as the last line.
    #[arg(long, requires = "smoke")]
    json: bool,
    /// Start only this part, run the command after `--`, and end with it.
    #[arg(long, value_enum, conflicts_with = "smoke")]
    only: Option<Part>,
    /// The command to run with `--only`.
    #[arg(last = true, requires = "only")]
    command: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Part {
    /// Postgres and PgBouncer, for tests; their addresses are in TEST_DATABASE_URL and TEST_PGBOUNCER.
    Database,
}

impl Dev {
    pub(crate) fn json(&self) -> bool {
        self.json
    }
}

/// Whatever is under way when a signal arrives is dropped, and with it every program it started.
pub(crate) async fn run(args: &Dev) -> Result<ExitCode, Failure> {
    tokio::select! {
        biased;
        code = signalled() => Ok(code?),
        result = start(args) => result,
    }
}

async fn start(args: &Dev) -> Result<ExitCode, Failure> {
    let home = Home::open(&args.project)?;
    match args.only {
        Some(Part::Database) => Ok(with_database(&home, &args.command).await?),
        None if args.smoke => with_smoke(&home, args).await,
        None => {
            let platform = Platform::start(&home, Data::Kept, args.port).await?;
            seed(&platform).await?;
            let welcome = platform.welcome(&home)?;
            write(|out| writeln!(out, "{welcome}"))?;
            // Until a signal drops it all.
            std::future::pending().await
        }
    }
}

/// Ctrl-C, a polite kill, or a closed terminal; the exit code is the one that shells give to each.
async fn signalled() -> Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let code = tokio::select! {
        _ = interrupt.recv() => 130,
        _ = terminate.recv() => 143,
        _ = hang_up.recv() => 129,
    };
    progress("stopping");
    Ok(ExitCode::from(code))
}

async fn with_smoke(home: &Home, args: &Dev) -> Result<ExitCode, Failure> {
    let platform = Platform::start(home, Data::Fresh, args.port).await?;
    seed(&platform).await?;
    let result = smoke::run(&platform).await;
    let logs = platform.save_logs(home).await?;
    progress("stopping");
    // Everything has ended before the result is printed, so that the JSON object is the last line.
    drop(platform);
    let where_to_look = format!("what the functions logged is in {}", logs.display());
    let report = result.with_context(|| where_to_look.clone())?;
    print(&report, args.json)?;
    if report.faults.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::new(format!("the smoke run failed: {}; {where_to_look}", report.faults.join("; "))))
}

fn print(report: &Report, json: bool) -> Result<(), Failure> {
    let rows = table(["what", "observed", "expected"], report.rows.iter().cloned());
    let object = serde_json::to_string(report).map_err(|error| Failure::new(error.to_string()))?;
    write(|out| {
        writeln!(out, "{rows}")?;
        if json { writeln!(out, "{object}") } else { Ok(()) }
    })
}

async fn with_database(home: &Home, command: &[String]) -> Result<ExitCode> {
    let [program, arguments @ ..] = command else { bail!("--only needs a command after --") };
    let postgres = Postgres::start(home, "test-cluster", false).await?;
    let pgbouncer = PgBouncer::start(home, &postgres).await?;
    let child = tokio::process::Command::new(program)
        .args(arguments)
        .env("TEST_DATABASE_URL", postgres.url("postgres"))
        .env("TEST_PGBOUNCER", format!("127.0.0.1:{}", pgbouncer.port))
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    let status = Guest(child).0.wait().await?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
