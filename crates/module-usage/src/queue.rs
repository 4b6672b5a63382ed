//! Messages of the usage queue: `{"orgId","userId","event"}`. Who may send to the queue may say for whom.
//!
//! A message that can never be counted is kept among the rejects and acknowledged, so that it does not come again; trouble with the
//! database is reported for every message of the call, so that all of them come again. A message that was counted before its
//! acknowledgement was lost is a duplicate then.

use std::time::Duration;

use jiff::Timestamp;
use mgmt_common::caller::is_id;
use mgmt_common::json;
use mgmt_common::serve::{QueueEvent, QueueMessage};
use mgmt_common::usage::event::{MAX_EVENT_BYTES, UsageEvent};
use mgmt_common::usage::id;
use mgmt_common::usage::item::{Item, Refusal, Sender};
use mgmt_common::usage_counting::{Rules, record_of_queue};
use serde::Deserialize;

use crate::State;

/// Items of one transaction: more of them hold its locks longer and gain nothing.
const CHUNK: usize = 1_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Message {
    #[serde(alias = "org_id")]
    org_id: String,
    #[serde(alias = "user_id")]
    user_id: String,
    event: UsageEvent,
}

/// The messages that must come again.
pub(crate) async fn count(state: &State, event: QueueEvent) -> Vec<String> {
    let rules = Rules { now: Timestamp::now(), max_age_days: state.settings.max_age_days };
    let mut again = Vec::new();
    for chunk in event.messages.chunks(CHUNK) {
        let left = event.deadline.saturating_duration_since(std::time::Instant::now());
        let counting = record_of_queue(&state.database, chunk.iter().map(read).collect(), rules);
        // Answered before Lambda ends the invocation: an invocation that times out has every message delivered again.
        let counted = match tokio::time::timeout(left.saturating_sub(Duration::from_millis(500)), counting).await {
            Ok(counted) => counted.map_err(|error| error.to_string()),
            Err(_) => Err("no time was left".to_owned()),
        };
        match counted {
            Ok((items, outcomes)) => {
                for (item, outcome) in items.iter().zip(&outcomes).filter(|(item, _)| item.event.is_err()) {
                    let detail = item.event.as_ref().err().map(Refusal::detail);
                    tracing::warn!(reason = outcome, ?detail, org = ?item.sender.org_id, "a message is not counted");
                }
                // Many duplicates tell of a sender that repeats itself, or of acknowledgements that get lost.
                let became = |outcome| outcomes.iter().filter(|other| *other == outcome).count();
                let (accepted, duplicates, conflicts) = (became("accepted"), became("duplicate"), became("conflict"));
                let rejected = outcomes.len() - accepted - duplicates - conflicts;
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

fn read(message: &QueueMessage) -> Item {
    let raw = message.body.clone();
    let parsed = if raw.len() > MAX_EVENT_BYTES + 1_024 {
        Err(Refusal::new("too_large", "", format!("a message has at most {MAX_EVENT_BYTES} bytes of event")))
    } else {
        json::parse::<Message>(raw.as_bytes()).map_err(|error| Refusal::new("malformed", "", error.to_string()))
    };
    let (sender, event) = match parsed {
        Ok(Message { org_id, user_id, event }) => {
            let sender = Sender { org_id: Some(org_id), user_id: Some(user_id) };
            (sender, event)
        }
        Err(refusal) => return Item { sender: Sender::default(), event: Err(refusal), raw },
    };
    if ![&sender.org_id, &sender.user_id].into_iter().all(|id| id.as_deref().is_some_and(is_id)) {
        let refusal =
            Refusal::new("invalid", "", "orgId and userId have 1 to 200 characters, none of them control characters");
        return Item { sender: Sender::default(), event: Err(refusal), raw };
    }
    let sent = Timestamp::try_from(message.sent).unwrap_or_else(|_| Timestamp::now());
    let checked = event.check(|| id::of_message(&message.id, sent));
    Item { sender, event: checked.map_err(|errors| Refusal { reason: "invalid", errors }), raw }
}
