//! The lines of an export.

use jiff::civil::Date;

use crate::store::export::ExportRow;
use crate::store::filter::{Granularity, StatsFilter};

const COLUMNS: [&str; 15] = [
    "bucket",
    "start",
    "end",
    "org_id",
    "module_name",
    "total",
    "successes",
    "failures",
    "partials",
    "success_rate",
    "average_duration_ms",
    "min_duration_ms",
    "max_duration_ms",
    "duration_count",
    "unique_users",
];

/// The header and as many rows as fit into a JSON string of `limit_bytes`, and how many those are.
pub(super) fn write(
    rows: &[ExportRow],
    filter: &StatsFilter,
    limit_bytes: usize,
) -> Result<(String, usize), Box<dyn std::error::Error>> {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    let (mut end, mut bytes, mut written) = (0, 0, 0);
    for row in rows {
        writer.write_record(cells(row, filter))?;
        writer.flush()?;
        bytes += bytes_in_json(&writer.get_ref()[end..]);
        if bytes > limit_bytes {
            break;
        }
        end = writer.get_ref().len();
        written += 1;
    }
    let mut text = String::from_utf8(writer.into_inner()?)?;
    if written < rows.len() {
        text.truncate(end);
    }
    Ok((text, written))
}

fn cells(row: &ExportRow, filter: &StatsFilter) -> [String; 15] {
    let (start, end) = filter.clip(row.bucket);
    let figures = &row.figures;
    let optional = |value: Option<String>| value.unwrap_or_default();
    [
        label(filter.granularity, row.bucket),
        start.to_string(),
        end.to_string(),
        no_formula(&row.org_id),
        no_formula(&row.module_name),
        figures.total.to_string(),
        figures.successes.to_string(),
        figures.failures.to_string(),
        figures.partials.to_string(),
        optional(figures.success_rate.map(|rate| rate.to_string())),
        optional(figures.average_duration_ms.map(|average| average.to_string())),
        optional(figures.min_duration_ms.map(|ms| ms.to_string())),
        optional(figures.max_duration_ms.map(|ms| ms.to_string())),
        figures.duration_count.to_string(),
        figures.unique_users.to_string(),
    ]
}

/// Spreadsheets run a cell that begins like a formula, and others choose these names.
/// Source: OWASP, "CSV Injection".
fn no_formula(text: &str) -> String {
    let apostrophe = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("{apostrophe}{text}")
}

/// Every quote, backslash and line end takes two bytes there, and other control characters six.
fn bytes_in_json(text: &[u8]) -> usize {
    let bytes = |byte: &u8| match byte {
        b'"' | b'\\' | b'\r' | b'\n' | b'\t' => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.iter().map(bytes).sum()
}

/// `first` is the first day of the whole bucket, which may lie before the period.
pub(super) fn label(granularity: Granularity, first: Date) -> String {
    match granularity {
        Granularity::Weekly => {
            let week = first.iso_week_date();
            format!("{:04}-W{:02}", week.year(), week.week())
        }
        Granularity::Monthly => format!("{:04}-{:02}", first.year(), first.month()),
        Granularity::Daily => first.to_string(),
    }
}
