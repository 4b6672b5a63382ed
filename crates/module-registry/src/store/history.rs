//! The audit of a module.

use jiff::Timestamp;
use mgmt_common::db::{Database, Page, PageLimits, Result, Transaction};
use mgmt_common::modules::name::ModuleName;
use mgmt_common::params;
use module_mgmt_protocol::caller::Caller;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
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
    pub(crate) changes: Vec<ChangedPath>,
    pub(crate) request_id: Option<String>,
}

/// One thing that a change changed, as `module_mgmt.changed_paths` writes it and the API shows it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct ChangedPath {
    /// A JSON pointer into the module or override.
    pub(crate) path: String,
    /// Absent: there was nothing. A value of more than 2 KB is the beginning of its text, with "…" at the end.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(value_type = Option<Value>)]
    pub(crate) before: Option<Box<RawValue>>,
    /// Absent: there is nothing left.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(value_type = Option<Value>)]
    pub(crate) after: Option<Box<RawValue>>,
    /// Of the last of 100: how many paths more the change changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) more: Option<u32>,
}

/// A null that is there is a value.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(deserializer).map(Some)
}

impl ChangedPath {
    /// With the column's name as the API has it.
    pub(crate) fn named(mut self) -> Self {
        let (column, rest) = match self.path[1.min(self.path.len())..].split_once('/') {
            Some((column, rest)) => (column, format!("/{rest}")),
            None => (&self.path[1.min(self.path.len())..], String::new()),
        };
        self.path = format!("/{}{rest}", api_name(column));
        self
    }
}

/// Whose changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AuditScope {
    /// Of the module itself.
    Platform,
    /// Of organisations' overrides of it.
    Organisations,
}

/// Newest first, older than the given entry if any.
pub(crate) async fn list_audit(
    database: &Database,
    caller: &Caller,
    name: &ModuleName,
    before: Option<i64>,
    scope: Option<AuditScope>,
    most: PageLimits,
) -> Result<Page<AuditRow>> {
    let statement = "-- list_audit
        select id, occurred_at, org_id, actor, action, changes, request_id from public.platform_module_audit
        where module_name = ($1)[1] and id < coalesce(($1)[2]::bigint, 9223372036854775807)
          and (org_id is null) = coalesce(($1)[3]::boolean, org_id is null)
        order by id desc";
    let before = before.map(|id| id.to_string());
    let of_platform = scope.map(|scope| if scope == AuditScope::Platform { "true" } else { "false" });
    database.read_page_as(caller, statement, &[Some(name.as_str()), before.as_deref(), of_platform], most).await
}

/// The fields that changed after a version, as the API names them, sorted: of the module itself, or of an organisation's override.
pub(crate) async fn changes_since(
    tx: &Transaction,
    name: &ModuleName,
    org_id: Option<&str>,
    version: i64,
) -> Result<Vec<String>> {
    let statement = "-- changes_since
        select distinct split_part(change ->> 'path', '/', 2) as field
        from (select changes from public.platform_module_audit
              where module_name = $1 and org_id is not distinct from $2 and row_version > $3 order by id desc limit 100) newest,
          jsonb_array_elements(changes) change";
    let rows: Vec<FieldRow> = tx.read(statement, params![name.as_str(), org_id, version]).await?;
    let mut fields: Vec<String> = rows.iter().map(|row| format!("/{}", api_name(&row.field))).collect();
    fields.sort_unstable();
    Ok(fields)
}

#[derive(Deserialize)]
struct FieldRow {
    field: String,
}
