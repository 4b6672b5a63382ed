//! The audit of a module.

use jiff::Timestamp;
use mgmt_common::db::{Database, Result, Transaction};
use mgmt_common::modules::name::ModuleName;
use mgmt_common::params;
use module_mgmt_protocol::caller::Caller;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::definition::module::api_name;

/// What was done. The texts are those of the table's check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuditAction {
    Register,
    Update,
    Enable,
    Disable,
    Delete,
    /// An organisation has made an override.
    Override,
    OverrideChange,
    OverrideRemove,
}

#[derive(Debug, Deserialize)]
pub(crate) struct AuditRow {
    pub(crate) id: i64,
    pub(crate) occurred_at: Timestamp,
    pub(crate) org_id: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) action: AuditAction,
    pub(crate) before: Option<Map<String, Value>>,
    pub(crate) after: Option<Map<String, Value>>,
    pub(crate) request_id: Option<String>,
}

/// Newest first, older than the given entry if any.
pub(crate) async fn list_audit(
    database: &Database,
    caller: &Caller,
    name: &ModuleName,
    before: Option<i64>,
    limit: u16,
) -> Result<Vec<AuditRow>> {
    let statement = "-- list_audit
        select id, occurred_at, org_id, actor, action, before, after, request_id from public.platform_module_audit
        where module_name = ($1)[1] and id < coalesce(($1)[2]::bigint, 9223372036854775807)
        order by id desc limit ($1)[3]::int";
    let before = before.map(|id| id.to_string());
    database.read_as(caller, statement, &[Some(name.as_str()), before.as_deref(), Some(&limit.to_string())]).await
}

/// The fields that changed after a version, as the API names them, sorted: of the module itself, or of an organisation's override.
pub(crate) async fn changes_since(
    tx: &Transaction,
    name: &ModuleName,
    org_id: Option<&str>,
    version: i64,
) -> Result<Vec<String>> {
    let statement = "-- changes_since
        select distinct jsonb_object_keys(coalesce(after, before)) as field from public.platform_module_audit
        where module_name = $1 and org_id is not distinct from $2 and row_version > $3 and coalesce(after, before) is not null";
    let rows: Vec<FieldRow> = tx.read(statement, params![name.as_str(), org_id, version]).await?;
    let mut fields: Vec<String> = rows.iter().map(|row| format!("/{}", api_name(&row.field))).collect();
    fields.sort_unstable();
    Ok(fields)
}

#[derive(Deserialize)]
struct FieldRow {
    field: String,
}
