//! The warmth history.
#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use jiff::Timestamp;
use mgmt_common::web::error::Result;
use mgmt_common::web::page::{Rows, link};
use mgmt_common::web::query::{Sent, query_of};
use mgmt_common::web::signed_in::PlatformAdmin;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Shared;
use crate::store::warming::{self as store, RunRow};

const ROWS: Rows = Rows { default: 50, most: 200 };

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RunsQuery {
    /// Only ticks before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    before: Option<Timestamp>,
    /// 1 to 200, 50 by default; fewer come where more would not fit into an answer.
    limit: Option<u16>,
}

/// The newest runs first. Where there may be more, a `Link` header names the next page.
#[utoipa::path(get, path = "/platform/lambda-warming/runs", params(RunsQuery), responses((status = 200, body = Vec<RunRow>)))]
pub(super) async fn list_runs(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    query: Sent<RunsQuery>,
    asked: Uri,
) -> Result<(HeaderMap, Answer<Vec<RunRow>>)> {
    let query = query_of(query)?;
    let most = ROWS.asked(query.limit)?;
    // Postgres cannot read every instant that can be written; before 1970 there are no runs.
    let before = query.before.map(|before| before.max(Timestamp::UNIX_EPOCH));
    let page = store::list_runs(&state.database, &caller, before, most).await?;
    let link = link(&page, &asked, "before", |last| last.tick.to_string());
    Ok((link, Answer(page.rows)))
}
