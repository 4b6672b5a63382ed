//! Statistics as CSV (RFC 4180), in pages that each fit into an answer.

use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse as _, Response};
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::page::link_to_next;
use module_mgmt_protocol::caller::Caller;

use super::{csv, page_cursor};
use crate::store::export::{self as store, PageKey};
use crate::store::filter::StatsFilter;

/// Every answer is at most 4 MB as Lambda carries it: JSON, in which the body is one string. The rest is for the headers.
const MAX_BYTES: usize = 4 * 1024 * 1024 - 4 * 1024;

/// Lines of one answer; about as many fit into one.
const MAX_LINES: usize = 50_000;

/// Which part of an export.
#[derive(Debug)]
pub(super) struct PageRequest {
    /// `None`: all that follows, in one answer.
    limit: Option<usize>,
    after: Option<PageKey>,
}

/// Reads `limit` and `cursor`; an answer in JSON has neither, and is `None`.
pub(super) fn part(
    is_csv: bool,
    limit: Option<&str>,
    cursor: Option<&str>,
    mut wrong: impl FnMut(&str, String),
) -> Option<PageRequest> {
    if !is_csv {
        for (name, sent) in [("limit", limit), ("cursor", cursor)] {
            if sent.is_some() {
                wrong(name, "belongs to Accept: text/csv".to_owned());
            }
        }
        return None;
    }
    let count = |text: &str| text.parse().ok().filter(|count| (1..=MAX_LINES).contains(count));
    let part = PageRequest { limit: limit.and_then(count), after: cursor.and_then(page_cursor::read) };
    if limit.is_some() && part.limit.is_none() {
        wrong("limit", format!("must be 1 to {MAX_LINES}"));
    }
    if cursor.is_some() && part.after.is_none() {
        wrong("cursor", "must be as the Link of the page before has it".to_owned());
    }
    Some(part)
}

/// # Errors
/// [`Error::AnswerTooLarge`]: not all lines fit, and it was not asked for in pages, so that nobody would look for the rest.
pub(super) async fn answer(
    state: &crate::State,
    caller: &Caller,
    filter: &StatsFilter,
    part: &PageRequest,
    asked: &Uri,
) -> Result<Response> {
    let limit = part.limit.unwrap_or(MAX_LINES);
    let page = store::read_export(&state.database, caller, filter, part.after.as_ref(), limit).await?;
    let (text, written) =
        csv::write(&page.rows, filter, MAX_BYTES).map_err(|error| Error::Internal(format!("csv: {error}")))?;
    let has_more = page.has_more || written < page.rows.len();
    if has_more && part.limit.is_none() {
        return Err(Error::AnswerTooLarge("ask for pages with limit, and for the next one as Link says, or for less"));
    }
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"usage.csv\""));
    let last = written.checked_sub(1).and_then(|last| page.rows.get(last)).filter(|_| has_more);
    if let Some(row) = last {
        let place = PageKey { bucket: row.bucket, org_id: row.org_id.clone(), module_name: row.module_name.clone() };
        headers.extend(link_to_next(asked, "cursor", &page_cursor::write(&place)));
    }
    Ok(response)
}
