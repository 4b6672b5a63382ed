//! The `mgmt` command.
#![expect(clippy::print_stderr, reason = "a command talks to its user")]

mod commands;
mod dev;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Control plane for modules, warming and usage.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Dev(commands::dev::Dev),
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Dev(args) => commands::dev::run(args).await,
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
