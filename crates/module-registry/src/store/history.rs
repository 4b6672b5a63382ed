//! The audit of a module.

use jiff::Timestamp;
use mgmt_common::caller::Caller;
use mgmt_common::db::{Database, Parameter, Transaction};
use mgmt_common::error::Result;
use mgmt_common::modules::name::ModuleName;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio_postgres::types::Type;

#[derive(Debug, Deserialize)]
pub(crate) struct AuditRow {
    pub(crate) id: i64,
    pub(crate) occurred_at: Timestamp,
    pub(crate) org_id: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) action: String,
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
        select distinct jsonb_object_keys(coalesce(after, before)) from public.platform_module_audit
        where module_name = $1 and org_id is not distinct from $2 and row_version > $3 and coalesce(after, before) is not null";
    let parameters: [Parameter<'_>; 3] = [(&name.as_str(), Type::TEXT), (&org_id, Type::TEXT), (&version, Type::INT8)];
    let rows = tx.query(statement, &parameters).await?;
    let mut fields: Vec<String> = rows.iter().map(|row| format!("/{}", api_name(row.get(0)))).collect();
    fields.sort_unstable();
    Ok(fields)
}

/// A column as the API names it.
pub(crate) fn api_name(column: &str) -> String {
    match column {
        "module_name" => "name".to_owned(),
        "module_type" => "type".to_owned(),
        other => {
            let mut words = other.split('_');
            let first = words.next().unwrap_or_default().to_owned();
            words.fold(first, |name, word| {
                let (head, tail) = word.split_at(word.len().min(1));
                name + &head.to_ascii_uppercase() + tail
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::api_name;

    #[test]
    fn columns_have_the_names_of_the_api() {
        let names = ["module_type", "min_compatible_version", "config", "module_name"].map(api_name);
        assert_eq!(names, ["type", "minCompatibleVersion", "config", "name"]);
    }
}
