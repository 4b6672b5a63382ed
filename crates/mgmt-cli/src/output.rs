//! What goes to the terminal: results to standard output, failures to standard error.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use comfy_table::{Table, presets};
use module_mgmt_protocol::field_error::FieldError;
use serde::Serialize;
use serde_json::Value;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// One sentence.
    message: String,
    /// The single faults of a value, if that is what failed.
    errors: Vec<FieldError>,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), errors: Vec::new() }
    }

    pub(crate) fn invalid(message: impl Into<String>, errors: Vec<FieldError>) -> Self {
        Self { message: message.into(), errors }
    }

    /// Writes the failure for a person, or as one JSON object `{"error", "errors":[{"pointer", "message"}]}`.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        #[derive(Serialize)]
        struct Object<'a> {
            error: &'a str,
            errors: &'a [FieldError],
        }
        let mut stderr = io::stderr().lock();
        // Nothing is left to tell anybody if standard error is gone too.
        let _ = if json {
            let object = Object { error: &self.message, errors: &self.errors };
            serde_json::to_writer(&mut stderr, &object).map_err(io::Error::from).and_then(|()| writeln!(stderr))
        } else {
            let lines = self.errors.iter().map(|error| match error.pointer.as_str() {
                "" => format!("  (the whole value): {}\n", error.message),
                pointer => format!("  {pointer}: {}\n", error.message),
            });
            write!(stderr, "error: {}\n{}", self.message, lines.collect::<String>())
        };
        ExitCode::FAILURE
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(format!("{error:#}"))
    }
}

/// A JSON value as a cell of a table: a text without its quotes.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Tells a person how far a long command is.
pub(crate) fn progress(line: &str) {
    // Progress that nobody can see is no reason to stop.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Lets a command write to standard output through a buffer. A reader that stops reading (`| head`) is no failure.
pub(crate) fn write(body: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut stdout = BufWriter::new(io::stdout().lock());
    match body(&mut stdout).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("standard output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// A plain table with a header.
pub(crate) fn table<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl Iterator<Item = [String; COLUMNS]>,
) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(header);
    rows.for_each(|row| {
        table.add_row(row);
    });
    table
}
