//! `mgmt usage export`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;
use jiff::civil::Date;

use super::period::{Period, Selection};
use crate::api::Api;
use crate::output::Failure;

/// Buckets of a first request; a request whose answer does not fit is halved.
const SLICE: usize = 31;

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    period: Period,
    #[command(flatten)]
    selection: Selection,
    /// Where to write; standard output by default.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(arguments: &Export) -> Result<(), Failure> {
    let (from, to) = arguments.period.days()?;
    let buckets = arguments.selection.granularity.buckets(from, to);
    let mut out: Box<dyn Write> = match &arguments.output {
        Some(path) => {
            let file = File::create(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
            Box::new(BufWriter::new(file))
        }
        None => Box::new(BufWriter::new(io::stdout().lock())),
    };
    // Drawn only where standard error is a terminal.
    let bar = ProgressBar::new(buckets.len() as u64);
    let mut slices: Vec<&[(Date, Date)]> = buckets.chunks(SLICE).rev().collect();
    let mut with_header = true;
    while let Some(slice) = slices.pop() {
        let (Some(first), Some(last)) = (slice.first(), slice.last()) else { continue };
        match arguments.api.text(&arguments.selection.path((first.0, last.1)), "text/csv") {
            Ok(text) => {
                let rows =
                    if with_header { text.as_str() } else { text.split_once("\r\n").map_or("", |(_, rows)| rows) };
                if let Err(error) = out.write_all(rows.as_bytes()) {
                    return written(Err(error));
                }
                with_header = false;
                bar.inc(slice.len() as u64);
            }
            Err(refused) if refused.status == 413 && slice.len() > 1 => {
                let (earlier, later) = slice.split_at(slice.len() / 2);
                slices.extend([later, earlier]);
            }
            Err(refused) => return Err(refused.failure(&format!("{} to {}: ", first.0, last.1))),
        }
    }
    bar.finish_and_clear();
    written(out.flush())
}

/// A reader that stops reading (`| head`) is no failure.
fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("the export cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}
