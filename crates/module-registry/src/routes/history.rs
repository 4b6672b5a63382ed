//! The audit of a module.
#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::signed_in::PlatformAdmin;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::{Sent, Shared, module_name_or_404, query_of};
use crate::definition::module::api_name;
use crate::store::history::{AuditAction, AuditRow, list_audit};

const MAX_LIMIT: u16 = 200;

/// One change of a module or of an organisation's override of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditEntry {
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// Who; null for a change that no caller made, such as the schema's own.
    actor: Option<String>,
    action: AuditAction,
    /// The organisation whose override changed; null for the module itself.
    org_id: Option<String>,
    /// The fields that changed as they were; null where there was nothing.
    #[schema(value_type = Option<Value>)]
    before: Option<Map<String, Value>>,
    /// The same fields afterwards; null where nothing is left.
    #[schema(value_type = Option<Value>)]
    after: Option<Map<String, Value>>,
    /// The same for all modules of a cascade.
    request_id: Option<String>,
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        let fields =
            |columns: Map<String, Value>| columns.into_iter().map(|(name, value)| (api_name(&name), value)).collect();
        Self {
            id: row.id,
            occurred_at: row.occurred_at,
            actor: row.actor,
            action: row.action,
            org_id: row.org_id,
            before: row.before.map(fields),
            after: row.after.map(fields),
            request_id: row.request_id,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// Only entries with a smaller id.
    before: Option<i64>,
    /// 1 to 200, 50 by default.
    limit: Option<u16>,
}

/// The newest changes first, of deleted modules too. Where there may be more, a `Link` header names the next page.
#[utoipa::path(get, path = "/platform/modules/{name}/history", params(("name" = String, Path), HistoryQuery),
    responses((status = 200, body = Vec<AuditEntry>), (status = 404)))]
pub(super) async fn module_history(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    Path(name): Path<String>,
    query: Sent<HistoryQuery>,
) -> Result<(HeaderMap, Answer<Vec<AuditEntry>>)> {
    let (name, query) = (module_name_or_404(&name)?, query_of(query)?);
    let limit = query.limit.unwrap_or(50);
    if limit == 0 || limit > MAX_LIMIT {
        return Err(Error::invalid("", format!("limit must be 1 to {MAX_LIMIT}")));
    }
    let rows = list_audit(&state.database, &caller, &name, query.before, limit).await?;
    // Every module has been registered: without a cursor there is an entry at least.
    if rows.is_empty() && query.before.is_none() {
        return Err(Error::NotFound);
    }
    let mut headers = HeaderMap::new();
    if let Some(last) = rows.last().filter(|_| rows.len() == usize::from(limit)) {
        let next = format!("</platform/modules/{name}/history?before={}&limit={limit}>; rel=\"next\"", last.id);
        if let Ok(value) = HeaderValue::from_str(&next) {
            headers.insert(header::LINK, value);
        }
    }
    Ok((headers, Answer(rows.into_iter().map(AuditEntry::from).collect())))
}
