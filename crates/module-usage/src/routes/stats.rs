//! Statistics. Days, weeks (ISO 8601, from Monday) and months are UTC.

use axum::Json as Answer;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use mgmt_common::caller::Caller;
use mgmt_common::error::{Error, Result};
use mgmt_common::field_error::FieldError;
use mgmt_common::usage::event::EVENT_TYPES;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Shared, export};
use crate::store::stats::{self as store, Figures, Question};

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
}

/// Figures over a period.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UsageStats {
    #[serde(skip_serializing_if = "Option::is_none")]
    module_name: Option<String>,
    /// Null: over all organisations.
    org_id: Option<String>,
    #[schema(value_type = String, format = Date)]
    start_date: Date,
    #[schema(value_type = String, format = Date)]
    end_date: Date,
    granularity: &'static str,
    /// Always `UTC`.
    time_zone: &'static str,
    summary: Figures,
    /// Every bucket of the period in order, those without use too.
    series: Vec<Bucket>,
    /// Of all modules: the same figures for each that was used, sorted by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    modules: Option<Vec<ModuleFigures>>,
    /// Items that were refused on these days, whatever their module, type or source.
    rejected: i64,
}

#[derive(Debug, Serialize, ToSchema)]
struct Bucket {
    /// First day.
    #[schema(value_type = String, format = Date)]
    start: Date,
    /// Last day, itself included.
    #[schema(value_type = String, format = Date)]
    end: Date,
    /// `2026-11-02`, `2026-W45` or `2026-11`.
    label: String,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ModuleFigures {
    module_name: String,
    #[serde(flatten)]
    figures: Figures,
}

type Sent = Result<Query<UsageQuery>, axum::extract::rejection::QueryRejection>;

/// Usage of all modules: of the caller's organisation, and for platform admins of any or all. With `Accept: text/csv` one line per
/// bucket, organisation and module.
#[utoipa::path(get, path = "/platform/modules/usage", params(UsageQuery),
    responses((status = 200, content((UsageStats = "application/json"), (String = "text/csv"))), (status = 403), (status = 404), (status = 422)))]
pub(super) async fn read_usage(
    caller: Caller,
    State(state): Shared,
    headers: HeaderMap,
    query: Sent,
) -> Result<Response> {
    let question = question(&caller, query, None)?;
    answer(&state, &caller, &headers, question).await
}

/// Usage of one module; as for all.
#[utoipa::path(get, path = "/platform/modules/{name}/usage/stats", params(("name" = String, Path), UsageQuery),
    responses((status = 200, content((UsageStats = "application/json"), (String = "text/csv"))), (status = 403), (status = 404), (status = 422)))]
pub(super) async fn read_module_usage(
    caller: Caller,
    State(state): Shared,
    Path(name): Path<String>,
    headers: HeaderMap,
    query: Sent,
) -> Result<Response> {
    let question = question(&caller, query, Some(name))?;
    answer(&state, &caller, &headers, question).await
}

async fn answer(state: &crate::State, caller: &Caller, headers: &HeaderMap, question: Question) -> Result<Response> {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let wants_csv = accept.split(',').any(|kind| kind.split(';').next().unwrap_or_default().trim() == "text/csv");
    let mut response = if wants_csv {
        export::csv(&store::read_export(&state.database, caller, &question).await?, &question)?
    } else {
        let found = store::read_stats(&state.database, caller, &question).await?;
        Answer(stats(question, found)?).into_response()
    };
    // Events come all the time: no answer is good for later.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

/// Only admins ask, org admins for their own organisation: another one's id is answered as one that does not exist.
fn question(caller: &Caller, query: Sent, module: Option<String>) -> Result<Question> {
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
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    Ok(Question { org_id, module, start, end, granularity, event_type: query.event_type, source: query.source })
}

/// A module that was never used and is not registered is none.
fn stats(question: Question, found: store::Found) -> Result<UsageStats> {
    if !found.is_known && found.modules.is_empty() {
        return Err(Error::NotFound);
    }
    let store::Found { summary, mut buckets, modules, rejected, .. } = found;
    let series = question.buckets().map(|(first, start, end)| Bucket {
        start,
        end,
        label: label(question.granularity, first),
        figures: buckets.remove(&first).unwrap_or_default(),
    });
    let series = series.collect();
    let modules = modules.into_iter().map(|(module_name, figures)| ModuleFigures { module_name, figures });
    let modules = question.module.is_none().then(|| modules.collect());
    Ok(UsageStats {
        module_name: question.module,
        org_id: question.org_id,
        start_date: question.start,
        end_date: question.end,
        granularity: question.granularity,
        time_zone: "UTC",
        summary,
        series,
        modules,
        rejected,
    })
}

/// `first` is the first day of the whole bucket, which may lie before the period.
pub(super) fn label(granularity: &str, first: Date) -> String {
    match granularity {
        "weekly" => {
            let week = first.iso_week_date();
            format!("{:04}-W{:02}", week.year(), week.week())
        }
        "monthly" => format!("{:04}-{:02}", first.year(), first.month()),
        _ => first.to_string(),
    }
}
