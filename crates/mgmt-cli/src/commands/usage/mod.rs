//! `mgmt usage`: figures and exports of a deployed platform, and a recount of the figures from the raw events.

mod export;
mod period;
mod stats;
mod verify;

use clap::Subcommand;

use crate::output::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows figures over a period, of one module or of all.
    Stats(stats::Stats),
    /// Recounts days from the raw events and prints where the figures differ; exits with 1 where they do.
    Verify(verify::Verify),
    /// Writes figures as CSV, page by page as they arrive.
    Export(export::Export),
}

impl Command {
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Stats(command) => command.json(),
            Self::Verify(command) => command.json(),
            Self::Export(_) => false,
        }
    }
}

pub(crate) async fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Stats(command) => stats::run(command),
        Command::Verify(command) => verify::run(command).await,
        Command::Export(command) => export::run(command),
    }
}
