//! The lines of an export.

use jiff::civil::Date;
use mgmt_common::text::is_invisible;

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

/// What formulas begin with, in the usual and in the wide form; `|` and `%` begin commands of older programs.
const FORMULA_SIGNS: [char; 12] = ['=', '+', '-', '@', '|', '%', '＝', '＋', '－', '＠', '｜', '％'];

/// The header and as many rows as fit into a JSON string of `limit_bytes`, and how many those are.
pub(super) fn write(
    rows: &[ExportRow],
    filter: &StatsFilter,
    limit_bytes: usize,
) -> Result<(String, usize), Box<dyn std::error::Error>> {
    // The cells quote themselves: texts always, figures never.
    let mut writer = ::csv::WriterBuilder::new()
        .terminator(::csv::Terminator::CRLF)
        .quote_style(::csv::QuoteStyle::Never)
        .from_writer(Vec::new());
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
        text(&row.org_id),
        text(&row.module_name),
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

/// A text cell (RFC 4180 section 2.7), quoted whatever is in it: programs that cut at semicolons too must not find one, and digits of an id
/// are no number.
fn text(text: &str) -> String {
    format!("\"{}\"", no_formula(text).replace('"', "\"\""))
}

/// Spreadsheets run a cell that begins like a formula, and others choose these names. What nobody sees, and spaces of every kind, do not
/// keep them from it; nor do the wide forms of the signs.
/// Source: OWASP, "CSV Injection".
fn no_formula(text: &str) -> String {
    let is_hidden = |letter: char| letter.is_whitespace() || is_invisible(letter);
    let begins = text.trim_start_matches(is_hidden).starts_with(FORMULA_SIGNS) || text.starts_with(['\t', '\r', '\n']);
    format!("{}{text}", if begins { "'" } else { "" })
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
