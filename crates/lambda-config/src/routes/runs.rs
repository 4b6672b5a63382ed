//! The warmth history.
#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

use axum::Json as Answer;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::signed_in::PlatformAdmin;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use crate::store::warming::{self as store, RunRow};

const MAX_LIMIT: u16 = 200;

/// One tick: what was asked for and what proved to be warm.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run {
    /// The scheduled minute.
    #[schema(value_type = String, format = DateTime)]
    tick: Timestamp,
    /// `running`, `done`, `cut` or `failed`.
    status: String,
    config_version: Option<i64>,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    asked: i32,
    reached: i32,
    /// Distinct instances; null when no payload returns instance ids.
    unique: Option<i32>,
    cold: i32,
    init_ms: i64,
    throttled: i32,
    errors: i32,
    note: Option<String>,
    /// The same figures per function.
    functions: Value,
}

impl From<RunRow> for Run {
    fn from(row: RunRow) -> Self {
        Self {
            tick: row.tick,
            status: row.status,
            config_version: row.config_version,
            started_at: row.started_at,
            finished_at: row.finished_at,
            asked: row.asked,
            reached: row.reached,
            unique: row.unique_instances,
            cold: row.cold,
            init_ms: row.init_ms,
            throttled: row.throttled,
            errors: row.errors,
            note: row.note,
            functions: row.functions,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RunsQuery {
    /// Only ticks before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    before: Option<Timestamp>,
    /// 1 to 200, 50 by default.
    limit: Option<u16>,
}

/// The newest runs first. Where there may be more, a `Link` header names the next page.
#[utoipa::path(get, path = "/platform/lambda-warming/runs", params(RunsQuery), responses((status = 200, body = Vec<Run>)))]
pub(super) async fn list_runs(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    query: Result<Query<RunsQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<(HeaderMap, Answer<Vec<Run>>)> {
    let Query(query) = query.map_err(|rejection| Error::malformed(rejection.body_text()))?;
    let limit = query.limit.unwrap_or(50);
    if limit == 0 || limit > MAX_LIMIT {
        return Err(Error::invalid("", format!("limit must be 1 to {MAX_LIMIT}")));
    }
    // Postgres cannot read every instant that can be written; before 1970 there are no runs.
    let before = query.before.map(|before| before.max(Timestamp::UNIX_EPOCH));
    let rows = store::list_runs(&state.database, &caller, before, limit).await?;
    let mut headers = HeaderMap::new();
    if let Some(last) = rows.last().filter(|_| rows.len() == usize::from(limit)) {
        let next = format!("</platform/lambda-warming/runs?before={}&limit={limit}>; rel=\"next\"", last.tick);
        if let Ok(value) = HeaderValue::from_str(&next) {
            headers.insert(header::LINK, value);
        }
    }
    Ok((headers, Answer(rows.into_iter().map(Run::from).collect())))
}
