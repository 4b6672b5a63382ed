//! The `mgmt` command.

mod commands;
mod output;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::warming;
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
    /// Schedules: what they compile to, and what they make due.
    #[command(subcommand)]
    Warming(warming::Command),
}

fn main() -> ExitCode {
    // Wrong usage ends here with exit code 2.
    let arguments = Arguments::parse();
    let (result, json) = match &arguments.command {
        Command::Warming(command) => (warming::run(command), command.json()),
    };
    result.map_or_else(|failure: Failure| failure.report(json), |()| ExitCode::SUCCESS)
}
