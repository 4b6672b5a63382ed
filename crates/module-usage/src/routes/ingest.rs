//! Counting uses, one at a time or in batches. Who uses and for which organisation is the caller's identity, never the body's matter.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use mgmt_common::json;
use mgmt_common::usage::item::BatchItem;
use mgmt_common::usage::judge::Rules;
use mgmt_common::usage::outcome::{Outcome, Totals};
use mgmt_common::usage::refusal::Refusal;
use mgmt_common::usage_counting::{self as counting, record, record_one};
use mgmt_common::web::body::JsonText;
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::signed_in::SignedIn;
use module_mgmt_protocol::usage::UsageEvent;
use module_mgmt_protocol::usage::reject_reason::RejectReason;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Shared;

/// Events of one batch.
const MAX_EVENTS: usize = 1_000;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// Counted now.
    Accepted,
    /// Counted before, with the same content.
    Duplicate,
    /// The id was used for another content, which stays.
    Conflict,
    /// Not counted.
    Rejected,
}

/// What became of one event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counted {
    /// The event's id, or the one that the server made; absent where what was sent has none that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    id: Option<Uuid>,
    status: Status,
    /// Of `rejected`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<RejectReason>,
    /// Of `rejected`: what is wrong, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Counted {
    fn new(item: &BatchItem<'_>, counted: &counting::Counted) -> Self {
        let (status, reason) = match counted.outcome {
            Outcome::Accepted => (Status::Accepted, None),
            Outcome::Duplicate => (Status::Duplicate, None),
            Outcome::Conflict => (Status::Conflict, None),
            Outcome::Rejected(reason) => (Status::Rejected, Some(reason)),
        };
        // A sender looks for the id of what was refused.
        let id = match &item.event {
            Ok(event) => Some(event.id),
            Err(refusal) => refusal.event_id,
        };
        Self { id, status, reason, detail: counted.rejection().as_ref().map(Refusal::detail) }
    }
}

/// Counts one use of the module. The same id with the same content again is 200, with another content 409.
#[utoipa::path(post, path = "/platform/modules/{name}/usage", params(("name" = String, Path)), request_body = UsageEvent,
    responses((status = 201, body = Counted), (status = 200, body = Counted), (status = 409), (status = 422), (status = 429)))]
pub(super) async fn count_event(
    SignedIn(caller): SignedIn,
    State(state): Shared,
    Path(name): Path<String>,
    JsonText(body): JsonText,
) -> Result<(StatusCode, Answer<Counted>)> {
    let item = BatchItem::from_caller_of_module(&caller, &body, &name);
    let counted = record_one(&state.database, &caller, &item, rules(&state)).await?;
    let answer = Answer(Counted::new(&item, &counted));
    match counted.outcome {
        Outcome::Accepted => Ok((StatusCode::CREATED, answer)),
        Outcome::Duplicate => Ok((StatusCode::OK, answer)),
        Outcome::Conflict => {
            Err(Error::conflict("usage_conflict", "this id was counted with another content, which stays"))
        }
        Outcome::Rejected(reason) => {
            let refusal = counted.rejection();
            let detail = refusal.as_ref().map(Refusal::detail).unwrap_or_default();
            let errors = refusal.map(|refusal| refusal.errors).unwrap_or_default();
            Err(match reason {
                RejectReason::Malformed => {
                    Error::Malformed { detail: format!("the event does not fit: {detail}"), errors }
                }
                RejectReason::Invalid => Error::Invalid(errors),
                reason => Error::Rejected(errors, reason.as_str()),
            })
        }
    }
}

/// A batch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Batch<'a> {
    /// Up to 1,000 events, each with `moduleName`. Each is taken or refused for itself.
    #[serde(borrow)]
    #[schema(value_type = Vec<UsageEvent>)]
    events: Vec<&'a RawValue>,
}

/// What became of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CountedBatch {
    accepted: usize,
    duplicates: usize,
    conflicts: usize,
    rejected: usize,
    /// One per event, in their order.
    results: Vec<Counted>,
}

/// Counts up to 1,000 uses. The answer is 200 whatever became of the single events.
#[utoipa::path(post, path = "/platform/modules/usage", request_body = Batch, responses((status = 200, body = CountedBatch), (status = 429)))]
pub(super) async fn count_events(
    SignedIn(caller): SignedIn,
    State(state): Shared,
    JsonText(body): JsonText,
) -> Result<Answer<CountedBatch>> {
    // Only split here: each event is read by itself, so that a fault in one is no fault of the others.
    let Batch { events } = json::parse_shallow(&body)?;
    if events.len() > MAX_EVENTS {
        return Err(Error::invalid("/events", format!("must be at most {MAX_EVENTS}")));
    }
    let items: Vec<BatchItem<'_>> = events.iter().map(|raw| BatchItem::from_caller(&caller, raw.get())).collect();
    let counted =
        if items.is_empty() { Vec::new() } else { record(&state.database, &caller, &items, rules(&state)).await? };
    let Totals { accepted, duplicates, conflicts, rejected } = Totals::of(counted.iter().map(|item| item.outcome));
    let results = items.iter().zip(&counted).map(|(item, counted)| Counted::new(item, counted)).collect();
    Ok(Answer(CountedBatch { accepted, duplicates, conflicts, rejected, results }))
}

fn rules(state: &crate::State) -> Rules {
    let settings = &state.settings;
    Rules {
        now: Timestamp::now(),
        max_age_days: settings.max_age_days,
        events_per_minute: Some(settings.events_per_minute),
    }
}
