//! Reads what a database consists of. Everything comes from the system catalogs, which every login may read.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::catalog::{Catalog, Facts};
use crate::migration::files;

const OURS: &str = include_str!("sql/ours.sql");
const QUERIES: [(&str, &str); 7] = [
    ("tables", include_str!("sql/tables.sql")),
    ("rules", include_str!("sql/rules.sql")),
    ("functions", include_str!("sql/functions.sql")),
    ("grants", include_str!("sql/grants.sql")),
    ("roles", include_str!("sql/roles.sql")),
    ("strangers", include_str!("sql/strangers.sql")),
    ("default privileges", include_str!("sql/default_privileges.sql")),
];

/// Whose eyes look, and names that differ between databases.
#[derive(Debug)]
pub(crate) struct Viewer {
    pub(super) login: String,
    pub(super) database: String,
    /// Who has most of our tables.
    pub(super) owner: String,
    pub(super) is_superuser: bool,
    pub(super) is_owner: bool,
    /// Row-level security does not bind it.
    pub(super) passes_by: bool,
    pub(super) has_service_role: bool,
    /// The months whose partitions the schema makes by itself: from 35 days ago until now.
    pub(super) months: Vec<String>,
}

/// A database as it is, and who looks.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(super) catalog: Catalog,
    pub(super) viewer: Viewer,
}

/// In one transaction, because names are written with their schemas only where the search path does not hold them.
pub(crate) async fn observe(client: &Client) -> Result<Observed> {
    client
        .batch_execute("begin read only; set local search_path = pg_catalog; set local statement_timeout = '30s'")
        .await?;
    let (tables, functions) = files::our_names();
    let mut catalog = Catalog::default();
    for (name, query) in QUERIES {
        let statement = format!("-- observe {name}\n{OURS}{query}");
        let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
            [(&tables, Type::TEXT_ARRAY), (&functions, Type::TEXT_ARRAY)];
        let rows = client.query_typed(&statement, &parameters).await.with_context(|| format!("reading the {name}"))?;
        for row in rows {
            let read =
                || Ok::<_, tokio_postgres::Error>((row.try_get(0)?, row.try_get(1)?, row.try_get::<_, Value>(2)?));
            let (kind, object, value) = read().with_context(|| format!("reading the {name}"))?;
            catalog.add(kind, object, facts(value));
        }
    }
    let viewer = viewer(client, &tables).await.context("reading who looks")?;
    client.batch_execute("commit").await?;
    Ok(Observed { catalog, viewer })
}

fn facts(value: Value) -> Facts {
    let text = |value: Value| match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text,
        Value::Null => "nobody".to_owned(),
        other => other.to_string(),
    };
    match value {
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, text(value))).collect(),
        _ => BTreeMap::new(),
    }
}

async fn viewer(client: &Client, tables: &[String]) -> Result<Viewer> {
    let statement = format!("-- viewer\n{OURS}{}", include_str!("sql/viewer.sql"));
    let functions: Vec<String> = Vec::new();
    let row = client.query_typed(&statement, &[(&tables, Type::TEXT_ARRAY), (&functions, Type::TEXT_ARRAY)]).await?;
    let row = row.first().context("the database does not say who is connected")?;
    Ok(Viewer {
        login: row.get("login"),
        database: row.get("database"),
        owner: row.get("owner"),
        is_superuser: row.get("is_superuser"),
        is_owner: row.get("is_owner"),
        passes_by: row.get("passes_by"),
        has_service_role: row.get("has_service_role"),
        months: row.get("months"),
    })
}
