//! Changes of the registry, each one transaction: wait for the other writers, read the graph, decide, write.

pub(crate) mod define;
pub(crate) mod overrides;
pub(crate) mod switch;

use mgmt_common::db::Transaction;
use mgmt_common::modules::name::ModuleName;
use mgmt_common::modules::plan::Refusal;
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::etag::{self, IfMatch};
use serde_json::{Map, json};

use crate::definition::module::RegisteredModule;
use crate::store::history::changes_since;
use crate::store::modules::read_module;

/// The module, if there is one and it is still what the caller has read.
async fn current(tx: &Transaction, name: &ModuleName, if_match: &IfMatch) -> Result<RegisteredModule> {
    let row = read_module(tx, name).await?.ok_or(Error::NotFound)?;
    if if_match.allows(Some(row.row_version)) {
        return Ok(row);
    }
    Err(stale(tx, name, None, if_match, Some(row.row_version)).await?)
}

/// 412 with the current tag and the fields that changed since the version that was sent.
pub(crate) async fn stale(
    tx: &Transaction,
    name: &ModuleName,
    org_id: Option<&str>,
    if_match: &IfMatch,
    current: Option<i64>,
) -> Result<Error> {
    let changed = changes_since(tx, name, org_id, sent_version(if_match)).await?;
    Ok(Error::Stale {
        expected: if_match.to_string(),
        current_etag: current.map(etag::of).unwrap_or_default(),
        changed,
    })
}

/// The version in the first tag; a tag that none of ours looks like is older than all.
fn sent_version(if_match: &IfMatch) -> i64 {
    let IfMatch::OneOf(tags) = if_match else { return 0 };
    tags.iter().find_map(|tag| tag.trim_matches('"').parse().ok()).unwrap_or(0)
}

/// The first reason is the answer's code; all of them are told.
fn refused(refusals: &[Refusal], mut members: Map<String, serde_json::Value>) -> Option<Error> {
    let first = refusals.first()?;
    let details: Vec<&str> = refusals.iter().map(|refusal| refusal.detail.as_str()).collect();
    let names: Vec<&str> = first.modules.iter().map(ModuleName::as_str).collect();
    members.insert("modules".into(), json!(names));
    Some(Error::Conflict { code: first.code, detail: details.join("; "), more: members })
}
