//! Statistics as CSV (RFC 4180).

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use mgmt_common::error::{Error, Result};

use super::stats::label;
use crate::store::stats::{ExportRow, MAX_EXPORT_ROWS, Question};

/// A Lambda answers at most 6 MB, and JSON strings escape every line end and quote of the body.
const MAX_CSV_BYTES: usize = 5 * 1024 * 1024;

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

/// # Errors
/// [`Error::AnswerTooLarge`]: the period is to be asked for in slices, as `mgmt usage export` does.
pub(super) fn csv(rows: &[ExportRow], question: &Question) -> Result<Response> {
    if rows.len() > MAX_EXPORT_ROWS {
        return Err(Error::AnswerTooLarge { limit_bytes: MAX_CSV_BYTES });
    }
    let text = write(rows, question).map_err(|error| Error::Internal(format!("csv: {error}")))?;
    if text.len() > MAX_CSV_BYTES {
        return Err(Error::AnswerTooLarge { limit_bytes: MAX_CSV_BYTES });
    }
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"usage.csv\""));
    Ok(response)
}

fn write(rows: &[ExportRow], question: &Question) -> Result<String, Box<dyn std::error::Error>> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for row in rows {
        let (start, end) = question.clip(row.bucket);
        let figures = &row.figures;
        let optional = |value: Option<String>| value.unwrap_or_default();
        writer.write_record([
            label(question.granularity, row.bucket),
            start.to_string(),
            end.to_string(),
            row.org_id.clone(),
            row.module_name.clone(),
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
        ])?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}
