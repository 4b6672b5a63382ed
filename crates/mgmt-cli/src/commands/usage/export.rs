//! `mgmt usage export`.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;
use jiff::civil::Date;

use super::period::{Period, Selection};
use crate::api::Api;
use crate::output::Failure;

/// Lines of one request. The platform may answer with fewer, and must answer in time: a page of months reads all days of a month.
const PAGE: usize = 10_000;

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
    let mut out: Box<dyn Write> = match &arguments.output {
        Some(path) => {
            let file = File::create(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
            Box::new(file)
        }
        None => Box::new(io::stdout().lock()),
    };
    // Drawn only where standard error is a terminal.
    let bar = ProgressBar::new(days(from, to) + 1);
    let mut reached = from;
    let mut next = Some(format!("{}&limit={PAGE}", arguments.selection.path((from, to))));
    let mut with_header = true;
    while let Some(path) = next {
        let page = arguments.api.page(&path, "text/csv");
        let (text, following) = page.map_err(|refused| refused.failure(&format!("from {reached} on: ")))?;
        let rows = if with_header { text.as_str() } else { text.split_once("\r\n").map_or("", |(_, rows)| rows) };
        if let Err(error) = out.write_all(rows.as_bytes()).and_then(|()| out.flush()) {
            return written(Err(error));
        }
        with_header = false;
        if let Some(day) = last_day(rows) {
            reached = day;
            bar.set_position(days(from, day));
        }
        next = following;
    }
    bar.finish_and_clear();
    Ok(())
}

/// The first day of the last line: its second cell, which needs no quotes.
fn last_day(rows: &str) -> Option<Date> {
    rows.trim_end().rsplit("\r\n").next()?.split(',').nth(1)?.parse().ok()
}

fn days(from: Date, to: Date) -> u64 {
    u64::try_from((to - from).get_days()).unwrap_or_default()
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
