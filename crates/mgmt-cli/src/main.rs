//! The `mgmt` command.

mod api;
mod commands;
mod database;
mod dev;
mod doctor;
mod link;
mod migration;
mod output;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{dev as dev_command, migrate, modules, openapi, usage, warming};
use crate::output::Failure;

/// Runs and inspects module-mgmt. Exit codes: 0 done, 1 failed, 2 wrong usage.
#[derive(Debug, Parser)]
#[command(name = "mgmt", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Dev(dev_command::Dev),
    Doctor(doctor::Doctor),
    Migrate(migrate::Migrate),
    Openapi(openapi::Openapi),
    /// The modules of a deployed platform.
    #[command(subcommand)]
    Modules(modules::Command),
    /// Usage of modules: figures, exports, and whether the figures are right.
    #[command(subcommand)]
    Usage(usage::Command),
    /// Schedules: what they compile to, and what they make due.
    #[command(subcommand)]
    Warming(warming::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
    // Wrong usage ends here with exit code 2.
    let arguments = Arguments::parse();
    let done = |()| ExitCode::SUCCESS;
    let (result, json) = match &arguments.command {
        Command::Dev(command) => (dev_command::run(command).await, command.json()),
        Command::Doctor(command) => (doctor::run(command).await, command.json()),
        Command::Migrate(command) => (migrate::run(command).await, command.json()),
        Command::Openapi(command) => (openapi::run(command).map(done), false),
        Command::Modules(command) => (modules::run(command).map(done), command.json()),
        Command::Usage(command) => (usage::run(command).await.map(done), command.json()),
        Command::Warming(command) => (warming::run(command).map(done), command.json()),
    };
    result.unwrap_or_else(|failure: Failure| failure.report(json))
}
