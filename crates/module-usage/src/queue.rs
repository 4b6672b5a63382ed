//! Messages of the usage queue: `{"orgId","userId","event"}`. Who may send to the queue may say for whom.
//!
//! A message that can never be counted is kept among the rejects and acknowledged, so that it does not come again; trouble with the
//! database is reported for every message of the call, so that all of them come again. A message that was counted before its
//! acknowledgement was lost is a duplicate then.

use std::time::Duration;

use jiff::Timestamp;
use mgmt_common::db::{self, Database, Error};
use mgmt_common::usage::id;
use mgmt_common::usage::item::{Attribution, BatchItem};
use mgmt_common::usage::judge::Rules;
use mgmt_common::usage::outcome::Totals;
use mgmt_common::usage::refusal::Refusal;
use mgmt_common::usage_counting::{Counted, record_from_queue};
use mgmt_common::web::serve::{QueueEvent, QueueMessage};
use module_mgmt_protocol::caller::is_id;
use module_mgmt_protocol::usage::reject_reason::RejectReason;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::State;

/// Items of one transaction: more of them hold its locks longer and gain nothing.
const CHUNK: usize = 1_000;

/// A message besides its event; serde refuses fields that occur twice.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Message<'a> {
    #[serde(alias = "org_id")]
    org_id: String,
    #[serde(alias = "user_id")]
    user_id: String,
    /// Read by itself, so that a fault in it is one of this organisation.
    #[serde(borrow)]
    event: &'a RawValue,
}

/// The messages that must come again.
pub(crate) async fn count(state: &State, event: QueueEvent) -> Vec<String> {
    let rules = Rules { now: Timestamp::now(), max_age_days: state.settings.max_age_days, events_per_minute: None };
    let mut again = Vec::new();
    for chunk in event.messages.chunks(CHUNK) {
        let left = event.deadline.saturating_duration_since(std::time::Instant::now());
        let items: Vec<BatchItem<'_>> = chunk.iter().map(read).collect();
        let counting = count_all(&state.database, &items, rules);
        // Answered before Lambda ends the invocation: an invocation that times out has every message delivered again.
        let counted = match tokio::time::timeout(left.saturating_sub(Duration::from_millis(500)), counting).await {
            Ok(counted) => counted.map_err(|error| error.to_string()),
            Err(_) => Err("no time was left".to_owned()),
        };
        match counted {
            Ok(counted) => {
                let lost = chunk.iter().zip(&counted).filter(|(_, counted)| counted.is_none());
                again.extend(lost.map(|(message, _)| message.id.clone()));
                let counted: Vec<_> =
                    items.iter().zip(&counted).filter_map(|(item, counted)| Some((item, counted.as_ref()?))).collect();
                for (item, counted) in &counted {
                    let Some(refusal) = counted.rejection() else { continue };
                    let (reason, org) = (refusal.reason.as_str(), &item.attribution.org_id);
                    tracing::warn!(reason, detail = ?refusal.detail(), ?org, "a message is not counted");
                }
                // Many duplicates tell of a sender that repeats itself, or of acknowledgements that get lost.
                let Totals { accepted, duplicates, conflicts, rejected } =
                    Totals::of(counted.iter().map(|(_, counted)| counted.outcome));
                tracing::info!(accepted, duplicates, conflicts, rejected, "messages are counted");
            }
            Err(error) => {
                tracing::error!(error, messages = chunk.len(), "messages are delivered again");
                again.extend(chunk.iter().map(|message| message.id.clone()));
            }
        }
    }
    again
}

/// Counts items together. Where the database does not take one of them for what it brings, which no check here has foreseen, the others
/// are counted without it: `None` is for an item that must come again.
///
/// # Errors
/// The database does not answer. Some of the items may be counted then; they are duplicates when all of them come again.
async fn count_all(database: &Database, items: &[BatchItem<'_>], rules: Rules) -> db::Result<Vec<Option<Counted>>> {
    let mut counted = Vec::with_capacity(items.len());
    let mut waiting = vec![items];
    while let Some(part) = waiting.pop() {
        match record_from_queue(database, part, rules).await {
            Ok(done) => counted.extend(done.into_iter().map(Some)),
            Err(error @ (Error::Unavailable(_) | Error::SchemaTooOld(_))) => return Err(error),
            Err(error) if part.len() == 1 => {
                tracing::error!(%error, "a message cannot be counted and comes again");
                counted.push(None);
            }
            Err(error) => {
                tracing::warn!(%error, messages = part.len(), "a message among these cannot be counted; they are tried in halves");
                let (first, second) = part.split_at(part.len() / 2);
                waiting.extend([second, first]);
            }
        }
    }
    Ok(counted)
}

fn read(message: &QueueMessage) -> BatchItem<'_> {
    let raw = message.body.as_str();
    match parse(raw) {
        Ok(Message { org_id, user_id, event }) => {
            let attribution = Attribution { org_id: Some(org_id), user_id: Some(user_id) };
            let sent = Timestamp::try_from(message.sent).unwrap_or_else(|_| Timestamp::now());
            BatchItem::of_message(attribution, event.get(), raw, || id::of_message(&message.id, sent))
        }
        Err(refusal) => BatchItem { attribution: Attribution::default(), event: Err(refusal), raw },
    }
}

fn parse(raw: &str) -> Result<Message<'_>, Refusal> {
    let malformed = |message: String| Refusal::new(RejectReason::Malformed, "", message);
    // serde would fill a struct from a list by position.
    if !raw.trim_start().starts_with('{') {
        return Err(malformed("the message must be a JSON object".to_owned()));
    }
    let message: Message<'_> =
        serde_json::from_str(raw).map_err(|error| malformed(format!("the message is not acceptable JSON: {error}")))?;
    if ![&message.org_id, &message.user_id].into_iter().all(|id| is_id(id)) {
        let words = "orgId and userId have 1 to 200 characters, none of them control characters";
        return Err(Refusal::new(RejectReason::Invalid, "", words));
    }
    Ok(message)
}
