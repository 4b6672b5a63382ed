//! Counts a batch of usage events straight in Postgres: states, judgement and one idempotent statement in one transaction.
//!
//! The functions of module-usage and the usage layer of a host count with it, so that an event counts the same whichever way it came.
//! Postgres stores that way as the event's source: `sqs` for what the worker counts, `http` for what is counted for a caller. A host
//! that counts for its callers is `http` as well.

use std::collections::BTreeSet;

use jiff::Timestamp;
use scoped_futures::ScopedFutureExt as _;
use serde_json::Value;
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use crate::caller::Caller;
use crate::db::{Database, Parameter, Transaction};
use crate::error::{Error, Result};
use crate::usage::check::CheckedEvent;
use crate::usage::item::Item;
use crate::usage::judge::{ModuleRow, States};

/// What became of each item, in their order: `accepted`, `duplicate`, `conflict`, or the reason of a refusal; and the items as
/// they were judged.
pub type Recorded = (Vec<Item>, Vec<String>);

/// What a batch is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub now: Timestamp,
    pub max_age_days: u16,
}

/// Counts for the caller, whatever the items' senders are.
///
/// # Errors
/// [`Error::Unavailable`] when the database does not answer in time. The items may be counted nevertheless, where the answer of the
/// commit was lost: the same ids again are duplicates then.
pub async fn record(database: &Database, caller: &Caller, items: Vec<Item>, rules: Rules) -> Result<Recorded> {
    let items = &items;
    database.run_as(caller, |tx| async move { judge_and_count(tx, items.clone(), rules).await }.scope_boxed()).await
}

/// [`record`] for one item.
///
/// # Errors
/// As [`record`].
pub async fn record_one(database: &Database, caller: &Caller, item: Item, rules: Rules) -> Result<(Item, String)> {
    let (items, outcomes) = record(database, caller, vec![item], rules).await?;
    let one = items.into_iter().zip(outcomes).next();
    one.ok_or_else(|| Error::Internal("an item has no outcome".into()))
}

/// Counts for the items' senders, with the worker's login.
///
/// # Errors
/// As [`record`].
pub async fn record_of_queue(database: &Database, items: Vec<Item>, rules: Rules) -> Result<Recorded> {
    let items = &items;
    database.run_as_worker(|tx| async move { judge_and_count(tx, items.clone(), rules).await }.scope_boxed()).await
}

/// The states are read in the transaction that counts. A module that is disabled between the two is as if the event had come a moment
/// earlier: it happened before, so it counts either way.
async fn judge_and_count(tx: &Transaction, mut items: Vec<Item>, rules: Rules) -> Result<Recorded> {
    let orgs: BTreeSet<String> = items.iter().filter_map(|item| item.sender.org_id.clone()).collect();
    let states = States::new(read_states(tx, &orgs).await?, &orgs);
    items.iter_mut().for_each(|item| item.judge(&states, rules.now, rules.max_age_days));
    let outcomes = count(tx, &items).await?;
    if outcomes.len() != items.len() {
        return Err(Error::Internal(format!("{} items have {} outcomes", items.len(), outcomes.len())));
    }
    Ok((items, outcomes))
}

async fn read_states(tx: &Transaction, orgs: &BTreeSet<String>) -> Result<Vec<ModuleRow>> {
    let statement = "-- read_states
        select coalesce(jsonb_agg(to_jsonb(state)), '[]')::text from module_mgmt.usage_states($1) state";
    let orgs: Vec<&String> = orgs.iter().collect();
    let row = tx.query_opt(statement, &[(&orgs, Type::TEXT_ARRAY)]).await?.ok_or(Error::NotFound)?;
    serde_json::from_str(row.get(0)).map_err(|error| Error::Internal(format!("read_states: {error}")))
}

/// The columns of a batch. An item that is refused has its reason and nothing else.
async fn count(tx: &Transaction, items: &[Item]) -> Result<Vec<String>> {
    let statement = "-- count
        select module_mgmt.record_usage_columns($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    let events = || items.iter().map(|item| item.event.as_ref().ok());
    let texts = |of: fn(&CheckedEvent) -> Option<&str>| -> Vec<Option<&str>> {
        events().map(|event| event.and_then(of)).collect()
    };
    let refusals = || items.iter().map(|item| item.event.as_ref().err());
    let ids: Vec<Option<Uuid>> = events().map(|event| event.map(|event| event.id)).collect();
    let orgs: Vec<Option<&str>> = items.iter().map(|item| item.sender.org_id.as_deref()).collect();
    let users: Vec<Option<&str>> = items.iter().map(|item| item.sender.user_id.as_deref()).collect();
    let occurred: Vec<Option<Timestamp>> = events().map(|event| event.map(|event| event.occurred_at)).collect();
    let durations: Vec<Option<i32>> = events().map(|event| event.and_then(|event| event.duration_ms)).collect();
    let hashes: Vec<Option<&[u8]>> = events().map(|event| event.map(|event| event.content_hash.as_slice())).collect();
    let metadata: Vec<Option<Json<&Value>>> =
        events().map(|event| event.and_then(|event| event.sent.metadata.as_ref()).map(Json)).collect();
    let reasons: Vec<Option<&str>> = refusals().map(|refusal| refusal.map(|refusal| refusal.reason)).collect();
    let details: Vec<Option<String>> =
        refusals().map(|refusal| refusal.map(|refusal| shorten(&refusal.detail(), 500))).collect();
    let raw: Vec<Option<String>> =
        items.iter().map(|item| item.event.is_err().then(|| shorten(&item.raw, 2_000))).collect();
    let parameters: [Parameter<'_>; 18] = [
        (&ids, Type::UUID_ARRAY),
        (&orgs, Type::TEXT_ARRAY),
        (&users, Type::TEXT_ARRAY),
        (&texts(|event| Some(&event.module_name)), Type::TEXT_ARRAY),
        (&texts(|event| Some(&event.sent.event_type)), Type::TEXT_ARRAY),
        (&texts(|event| Some(&event.sent.status)), Type::TEXT_ARRAY),
        (&occurred, Type::TIMESTAMPTZ_ARRAY),
        (&durations, Type::INT4_ARRAY),
        (&hashes, Type::BYTEA_ARRAY),
        (&texts(|event| event.sent.event_action.as_deref()), Type::TEXT_ARRAY),
        (&texts(|event| event.sent.endpoint.as_deref()), Type::TEXT_ARRAY),
        (&texts(|event| event.sent.http_method.as_deref()), Type::TEXT_ARRAY),
        (&texts(|event| event.sent.error_code.as_deref()), Type::TEXT_ARRAY),
        (&texts(|event| event.sent.error_message.as_deref()), Type::TEXT_ARRAY),
        (&metadata, Type::JSONB_ARRAY),
        (&reasons, Type::TEXT_ARRAY),
        (&details, Type::TEXT_ARRAY),
        (&raw, Type::TEXT_ARRAY),
    ];
    let row = tx.query_opt(statement, &parameters).await?.ok_or(Error::NotFound)?;
    Ok(row.get(0))
}

/// Text that Postgres takes: no NUL, and not too long.
fn shorten(text: &str, limit: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(limit).collect()
}
