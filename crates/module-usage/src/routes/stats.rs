//! Statistics, as JSON or CSV.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::query::Sent;
use mgmt_common::web::signed_in::SignedIn;
use module_mgmt_protocol::caller::Caller;
use serde::Serialize;
use utoipa::ToSchema;

use super::filter::{self, Asked, UsageQuery};
use super::{Shared, csv, export};
use crate::store::figures::Figures;
use crate::store::filter::{Granularity, StatsFilter};
use crate::store::stats as store;

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
    granularity: Granularity,
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

/// Usage of all modules: of the caller's organisation, and for platform admins of any or all.
///
/// With `Accept: text/csv` one line per bucket, organisation and module that was used, in this order, under a header. Without `limit` it
/// is the whole of it, or 413. With `limit` it is one page: the header and at most so many lines, less than 5 MB. Where more lines
/// follow, `Link: <path and query>; rel="next"` (RFC 8288) names the next page. What is counted between two pages may show in the later
/// one. A cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return has an apostrophe in front, because spreadsheets would run
/// it as a formula; organisations choose their ids.
#[utoipa::path(get, path = "/platform/modules/usage", params(UsageQuery),
    responses((status = 200, content((UsageStats = "application/json"), (String = "text/csv")),
        headers(("Link" = Option<String>, description = "The next page of CSV, where there is one"))),
        (status = 403), (status = 404), (status = 413), (status = 422)))]
pub(super) async fn read_usage(
    SignedIn(caller): SignedIn,
    State(state): Shared,
    uri: Uri,
    headers: HeaderMap,
    query: Sent<UsageQuery>,
) -> Result<Response> {
    let asked = filter::read(&caller, &headers, query, None)?;
    answer(&state, &caller, asked, &uri).await
}

/// Usage of one module; as for all.
#[utoipa::path(get, path = "/platform/modules/{name}/usage/stats", params(("name" = String, Path), UsageQuery),
    responses((status = 200, content((UsageStats = "application/json"), (String = "text/csv")),
        headers(("Link" = Option<String>, description = "The next page of CSV, where there is one"))),
        (status = 403), (status = 404), (status = 413), (status = 422)))]
pub(super) async fn read_module_usage(
    SignedIn(caller): SignedIn,
    State(state): Shared,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    query: Sent<UsageQuery>,
) -> Result<Response> {
    let asked = filter::read(&caller, &headers, query, Some(name))?;
    answer(&state, &caller, asked, &uri).await
}

async fn answer(state: &crate::State, caller: &Caller, asked: Asked, uri: &Uri) -> Result<Response> {
    let Asked { filter, csv } = asked;
    let mut response = match csv {
        Some(part) => export::answer(state, caller, &filter, &part, uri).await?,
        None => {
            let found = store::read_stats(&state.database, caller, &filter).await?;
            Answer(stats(filter, found)?).into_response()
        }
    };
    // Events come all the time: no answer is good for later.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

/// A module that was never used and is not registered is none.
fn stats(filter: StatsFilter, found: store::Found) -> Result<UsageStats> {
    if !found.is_known && found.modules.is_empty() {
        return Err(Error::NotFound);
    }
    let store::Found { summary, mut buckets, modules, rejected, .. } = found;
    let series = filter.buckets().map(|(first, start, end)| Bucket {
        start,
        end,
        label: csv::label(filter.granularity, first),
        figures: buckets.remove(&first).unwrap_or_default(),
    });
    let series = series.collect();
    let modules = modules.into_iter().map(|(module_name, figures)| ModuleFigures { module_name, figures });
    let modules = filter.module.is_none().then(|| modules.collect());
    Ok(UsageStats {
        module_name: filter.module,
        org_id: filter.org_id,
        start_date: filter.start,
        end_date: filter.end,
        granularity: filter.granularity,
        time_zone: "UTC",
        summary,
        series,
        modules,
        rejected,
    })
}
