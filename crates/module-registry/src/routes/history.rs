//! The audit of a module.
#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use jiff::Timestamp;
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::page::{Rows, link};
use mgmt_common::web::query::{Sent, query_of};
use mgmt_common::web::signed_in::PlatformAdmin;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Shared, module_name_or_404};
use crate::store::history::{AuditAction, AuditRow, AuditScope, ChangedPath, list_audit};
use crate::store::modules::get_module;

const ROWS: Rows = Rows { default: 50, most: 200 };

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
    /// What changed, sorted by path; at most 100 paths.
    changes: Vec<ChangedPath>,
    /// The same for all modules of a cascade.
    request_id: Option<String>,
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id,
            occurred_at: row.occurred_at,
            actor: row.actor,
            action: row.action,
            org_id: row.org_id,
            changes: row.changes.into_iter().map(ChangedPath::named).collect(),
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
    /// 1 to 200, 50 by default; fewer come where more would not fit into an answer.
    limit: Option<u16>,
    /// Only changes of the module itself, or only those of organisations' overrides.
    #[param(inline)]
    scope: Option<AuditScope>,
}

/// The newest changes first, of deleted modules too. Where there are more, a `Link` header names the next page.
#[utoipa::path(get, path = "/platform/modules/{name}/history", params(("name" = String, Path), HistoryQuery),
    responses((status = 200, body = Vec<AuditEntry>), (status = 404)))]
pub(super) async fn module_history(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    Path(name): Path<String>,
    query: Sent<HistoryQuery>,
    asked: Uri,
) -> Result<(HeaderMap, Answer<Vec<AuditEntry>>)> {
    let (name, query) = (module_name_or_404(&name)?, query_of(query)?);
    let most = ROWS.asked(query.limit)?;
    let page = list_audit(&state.database, &caller, &name, query.before, query.scope, most).await?;
    // Every module has been registered, and its audit may have left since.
    let is_first = query.before.is_none() && query.scope.is_none();
    if page.rows.is_empty() && is_first && get_module(&state.database, &caller, &name).await?.is_none() {
        return Err(Error::NotFound);
    }
    let link = link(&page, &asked, "before", |last| last.id.to_string());
    Ok((link, Answer(page.map(AuditEntry::from).rows)))
}
