//! Reading what is asked for from a request. Days, weeks (ISO 8601, from Monday) and months are UTC.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use mgmt_common::caller::Caller;
use mgmt_common::error::{Error, Result};
use mgmt_common::field_error::FieldError;
use mgmt_common::usage::event::EVENT_TYPES;
use serde::Deserialize;

use super::export::{self, Part};
use crate::store::question::Question;

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

/// The query as it came.
pub(super) type Sent = Result<Query<UsageQuery>, QueryRejection>;

/// What is asked for, and how it is to be answered.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) question: Question,
    /// `None`: as JSON.
    pub(super) csv: Option<Part>,
}

/// Only admins ask, org admins for their own organisation: another one's id is answered as one that does not exist.
pub(super) fn read(caller: &Caller, headers: &HeaderMap, query: Sent, module: Option<String>) -> Result<Asked> {
    if !caller.is_platform_admin && !caller.is_org_admin {
        return Err(Error::Forbidden);
    }
    let Query(query) = query.map_err(|rejection| Error::malformed(rejection.body_text()))?;
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
    let granularity = match query.granularity.as_deref() {
        None | Some("daily") => "daily",
        Some("weekly") => "weekly",
        Some("monthly") => "monthly",
        Some(_) => {
            wrong("granularity", "must be daily, weekly or monthly".to_owned());
            "daily"
        }
    };
    if query.event_type.as_deref().is_some_and(|sent| !EVENT_TYPES.contains(&sent)) {
        wrong("eventType", format!("must be one of {}", EVENT_TYPES.join(", ")));
    }
    if query.source.as_deref().is_some_and(|sent| !["http", "sqs"].contains(&sent)) {
        wrong("source", "must be http or sqs".to_owned());
    }
    let question =
        Question { org_id, module, start, end, granularity, event_type: query.event_type, source: query.source };
    let csv = export::part(wants_csv(headers), query.limit.as_deref(), query.cursor.as_deref(), &mut wrong);
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    Ok(Asked { question, csv })
}

fn wants_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|kind| kind.split(';').next().unwrap_or_default().trim() == "text/csv")
}
