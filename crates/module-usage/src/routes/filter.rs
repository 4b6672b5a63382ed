//! Reading what is asked for from a request. Days, weeks (ISO 8601, from Monday) and months are UTC.

use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::query::{Sent, query_of};
use module_mgmt_protocol::caller::Caller;
use module_mgmt_protocol::field_error::FieldError;
use module_mgmt_protocol::usage::EventType;
use serde::Deserialize;

use super::export::{self, PageRequest};
use crate::store::filter::{Granularity, Source, StatsFilter};

/// Days without `startDate`.
const DEFAULT_DAYS: i32 = 30;
/// Ten years of days are about a megabyte.
const MAX_DAYS: i32 = 3_660;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct UsageQuery {
    /// First UTC day, such as 2026-11-02; 29 days before the last one by default.
    start_date: Option<String>,
    /// Last UTC day, itself included; today by default.
    end_date: Option<String>,
    /// `daily` (default), `weekly` (ISO weeks) or `monthly`. The first and last one may be cut by the period.
    granularity: Option<String>,
    /// Only events of this type.
    event_type: Option<String>,
    /// Only events that came this way: `http` or `sqs`.
    source: Option<String>,
    /// Platform admins only: one organisation instead of all. Others may name their own.
    org_id: Option<String>,
    /// Of `text/csv`: lines of this page; `Link` names the next page. Without it the answer is all of it, or 413.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 50_000)]
    limit: Option<String>,
    /// Of `text/csv`: where the page begins, as `Link` of the page before has it.
    cursor: Option<String>,
}

/// What is asked for, and how it is to be answered.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) filter: StatsFilter,
    /// `None`: as JSON.
    pub(super) csv: Option<PageRequest>,
}

/// Only admins ask, org admins for their own organisation: another one's id is answered as one that does not exist.
pub(super) fn read(
    caller: &Caller,
    headers: &HeaderMap,
    query: Sent<UsageQuery>,
    module: Option<String>,
) -> Result<Asked> {
    if !caller.is_platform_admin && !caller.is_org_admin {
        return Err(Error::Forbidden);
    }
    let query = query_of(query)?;
    let org_id = match (caller.is_platform_admin, query.org_id) {
        (true, org_id) => org_id,
        (false, Some(org_id)) if org_id != caller.org_id => return Err(Error::NotFound),
        (false, _) => Some(caller.org_id.clone()),
    };
    let mut errors = Vec::new();
    let mut wrong = |name: &str, message: String| errors.push(FieldError::new(name, format!("{name} {message}")));
    let mut date = |name: &str, sent: &Option<String>| -> Option<Date> {
        let parsed = sent.as_ref().map(|text| {
            text.parse::<Date>().ok().filter(|date| (1970..=9998).contains(&date.year()) && text.len() == 10)
        });
        if parsed == Some(None) {
            wrong(name, "must be a day such as 2026-11-02".to_owned());
        }
        parsed.flatten()
    };
    let (start, end) = (date("startDate", &query.start_date), date("endDate", &query.end_date));
    let end = end.unwrap_or_else(|| Timestamp::now().to_zoned(TimeZone::UTC).date());
    let start = start.unwrap_or_else(|| end.saturating_sub(jiff::Span::new().days(DEFAULT_DAYS - 1)));
    let days = (end - start).get_days() + 1;
    if days < 1 {
        wrong("endDate", "must not be before startDate".to_owned());
    } else if days > MAX_DAYS {
        wrong("startDate", format!("must be at most {MAX_DAYS} days before endDate"));
    }
    let mut one_of = |name: &str, ok: bool, all: &str| {
        if !ok {
            wrong(name, format!("must be {all}"));
        }
    };
    let granularity = query.granularity.as_deref().map(Granularity::from_text);
    one_of("granularity", granularity != Some(None), "daily, weekly or monthly");
    let event_type = query.event_type.as_deref().map(EventType::from_text);
    one_of(
        "eventType",
        event_type != Some(None),
        &format!("one of {}", EventType::ALL.map(EventType::as_str).join(", ")),
    );
    let source = query.source.as_deref().map(Source::from_text);
    one_of("source", source != Some(None), "http or sqs");
    let filter = StatsFilter {
        org_id,
        module,
        start,
        end,
        granularity: granularity.flatten().unwrap_or(Granularity::Daily),
        event_type: event_type.flatten(),
        source: source.flatten(),
    };
    let csv = export::part(wants_csv(headers), query.limit.as_deref(), query.cursor.as_deref(), &mut wrong);
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    Ok(Asked { filter, csv })
}

fn wants_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|kind| kind.split(';').next().unwrap_or_default().trim() == "text/csv")
}
