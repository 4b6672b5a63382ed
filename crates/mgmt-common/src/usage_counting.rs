//! Counts a batch of usage events straight in Postgres: states, judgement and one idempotent statement in one transaction.
//!
//! The functions of module-usage and the usage layer of a host count with it, so that an event counts the same whichever way it came.
//! Postgres stores that way as the event's source: `sqs` for what the worker counts, `http` for what is counted for a caller. A host
//! that counts for its callers is `http` as well.

mod columns;

use std::collections::BTreeSet;

use columns::Columns;
use module_mgmt_protocol::caller::Caller;
use module_mgmt_protocol::usage::reject_reason::RejectReason;
use scoped_futures::ScopedFutureExt as _;
use serde::Deserialize;

use crate::db::{Database, Error, Result, Transaction};
use crate::params;
use crate::usage::item::BatchItem;
use crate::usage::judge::{Judge, ModuleHistory, Rules};
use crate::usage::outcome::Outcome;
use crate::usage::refusal::Refusal;

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub outcome: Outcome,
    /// Why it was refused, as far as that is known outside the database.
    pub refusal: Option<Refusal>,
}

/// Counts for the caller, whatever the items' attribution is; answers for each item, in their order.
///
/// # Errors
/// [`Error::TooMany`] where the organisation has sent as much as it may; [`Error::Unavailable`] when the database does not answer in time. The items may be counted nevertheless, where the answer of the
/// commit was lost: the same ids again are duplicates then.
pub async fn record(
    database: &Database,
    caller: &Caller,
    items: &[BatchItem<'_>],
    rules: Rules,
) -> Result<Vec<Counted>> {
    database.run_as(caller, |tx| judge_and_count(tx, items, rules).scope_boxed()).await
}

/// [`record`] for one item.
///
/// # Errors
/// As [`record`].
pub async fn record_one(database: &Database, caller: &Caller, item: &BatchItem<'_>, rules: Rules) -> Result<Counted> {
    let counted = record(database, caller, std::slice::from_ref(item), rules).await?;
    counted.into_iter().next().ok_or_else(|| Error::Internal("an item has no outcome".into()))
}

/// Counts for whom the items are attributed to, with the worker's login.
///
/// # Errors
/// As [`record`].
pub async fn record_from_queue(database: &Database, items: &[BatchItem<'_>], rules: Rules) -> Result<Vec<Counted>> {
    database.run_as_worker(|tx| judge_and_count(tx, items, rules).scope_boxed()).await
}

/// The states are read in the transaction that counts. A module that is disabled between the two is as if the event had come a moment
/// earlier: it happened before, so it counts either way.
async fn judge_and_count(tx: &Transaction, items: &[BatchItem<'_>], rules: Rules) -> Result<Vec<Counted>> {
    let organisations: BTreeSet<&str> = items.iter().filter_map(|item| item.attribution.org_id.as_deref()).collect();
    let judge = Judge::new(read_states(tx, &organisations).await?, &organisations, rules);
    let judged: Vec<Option<Refusal>> = items.iter().map(|item| refusal(item, &judge)).collect();
    let outcomes = count(tx, items, &judged, rules.events_per_minute).await?;
    if outcomes.len() != items.len() {
        return Err(Error::Internal(format!("{} items have {} outcomes", items.len(), outcomes.len())));
    }
    Ok(outcomes.into_iter().zip(judged).map(|(outcome, refusal)| Counted { outcome, refusal }).collect())
}

fn refusal(item: &BatchItem<'_>, judge: &Judge) -> Option<Refusal> {
    match &item.event {
        Ok(event) => judge.judge(event, item.attribution.org_id.as_deref().unwrap_or_default()).err(),
        Err(refusal) => Some(refusal.clone()),
    }
}

async fn read_states(tx: &Transaction, organisations: &BTreeSet<&str>) -> Result<Vec<ModuleHistory>> {
    let organisations: Vec<&str> = organisations.iter().copied().collect();
    tx.read("-- read_states\nselect * from module_mgmt.usage_states(orgs => $1)", params![organisations]).await
}

#[derive(Deserialize)]
struct Outcomes {
    outcomes: Vec<Outcome>,
}

async fn count(
    tx: &Transaction,
    items: &[BatchItem<'_>],
    judged: &[Option<Refusal>],
    most_per_minute: Option<i32>,
) -> Result<Vec<Outcome>> {
    let columns = Columns::of(items, judged, most_per_minute);
    let Outcomes { outcomes } = tx.read_one(columns::STATEMENT, &columns.parameters()).await?;
    Ok(outcomes)
}

impl Counted {
    /// The refusal of an item that is rejected. Which days are closed, the database alone knows.
    pub fn rejection(&self) -> Option<Refusal> {
        let Outcome::Rejected(reason) = self.outcome else { return None };
        let closed = || Refusal::new(RejectReason::TooOld, "/occurredAt", "its day is closed");
        Some(self.refusal.clone().filter(|refusal| refusal.reason == reason).unwrap_or_else(closed))
    }
}
