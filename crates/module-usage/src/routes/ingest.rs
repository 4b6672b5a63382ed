//! Counting uses, one at a time or in batches. Who uses and for which organisation is the caller's identity, never the body's matter.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use mgmt_common::caller::Caller;
use mgmt_common::error::{Error, Result};
use mgmt_common::field_error::FieldError;
use mgmt_common::json::Json;
use mgmt_common::usage::event::UsageEvent;
use mgmt_common::usage::item::{Item, Refusal};
use mgmt_common::usage::of_caller::{checked, read};
use mgmt_common::usage_counting::{Rules, record, record_one};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Shared;

/// Events of one batch.
const MAX_EVENTS: usize = 1_000;

/// What became of one event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counted {
    /// The event's id, or the one that the server made; absent where what was sent has none that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    id: Option<Uuid>,
    /// `accepted`: counted now. `duplicate`: counted before, with the same content. `conflict`: the id was used for another content,
    /// which stays. `rejected`: not counted.
    status: &'static str,
    /// Of `rejected`: `malformed`, `invalid`, `too_large`, `unknown_module`, `in_future`, `too_old`, `platform_off`, `not_installed`,
    /// `dependency_off` or `org_off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Of `rejected`: what is wrong, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Counted {
    fn new(item: &Item, outcome: String) -> Self {
        let id = item.event.as_ref().ok().map(|event| event.id);
        let detail = item.event.as_ref().err().map(Refusal::detail);
        match outcome.as_str() {
            "accepted" => Self { id, status: "accepted", reason: None, detail },
            "duplicate" => Self { id, status: "duplicate", reason: None, detail },
            "conflict" => Self { id, status: "conflict", reason: None, detail },
            _ => Self { id, status: "rejected", reason: Some(outcome), detail },
        }
    }
}

/// Counts one use of the module. The same id with the same content again is 200, with another content 409.
#[utoipa::path(post, path = "/platform/modules/{name}/usage", params(("name" = String, Path)), request_body = UsageEvent,
    responses((status = 201, body = Counted), (status = 200, body = Counted), (status = 409), (status = 422)))]
pub(super) async fn count_event(
    caller: Caller,
    State(state): Shared,
    Path(name): Path<String>,
    Json(body): Json<Box<RawValue>>,
) -> Result<(StatusCode, Answer<Counted>)> {
    let mut event: UsageEvent = mgmt_common::json::parse(body.get().as_bytes())?;
    if event.module_name.as_ref().is_some_and(|sent| *sent != name) {
        return Err(Error::invalid("/moduleName", "must be the module of the path, or absent"));
    }
    event.module_name = Some(name);
    let item = checked(&caller, event, body.get());
    let (item, outcome) = record_one(&state.database, &caller, item, rules(&state)).await?;
    let counted = Counted::new(&item, outcome);
    match counted.status {
        "accepted" => Ok((StatusCode::CREATED, Answer(counted))),
        "duplicate" => Ok((StatusCode::OK, Answer(counted))),
        "conflict" => Err(Error::conflict("usage_conflict", "this id was counted with another content, which stays")),
        _ => Err(match item.event {
            Err(Refusal { reason: "invalid", errors }) => Error::Invalid(errors),
            Err(Refusal { reason, errors }) => Error::Rejected(errors, reason),
            // The database alone knows which days are sealed.
            Ok(_) => Error::Rejected(vec![FieldError::new("/occurredAt", "its day is closed")], "too_old"),
        }),
    }
}

/// A batch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Batch {
    /// Up to 1,000 events, each with `moduleName`. Each is taken or refused for itself.
    #[schema(value_type = Vec<UsageEvent>)]
    events: Vec<Box<RawValue>>,
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
#[utoipa::path(post, path = "/platform/modules/usage", request_body = Batch, responses((status = 200, body = CountedBatch)))]
pub(super) async fn count_events(
    caller: Caller,
    State(state): Shared,
    Json(batch): Json<Batch>,
) -> Result<Answer<CountedBatch>> {
    if batch.events.len() > MAX_EVENTS {
        return Err(Error::invalid("/events", format!("must be at most {MAX_EVENTS}")));
    }
    if batch.events.is_empty() {
        return Ok(Answer(CountedBatch { accepted: 0, duplicates: 0, conflicts: 0, rejected: 0, results: Vec::new() }));
    }
    let items = batch.events.iter().map(|raw| read(&caller, raw.get())).collect();
    let (items, outcomes) = record(&state.database, &caller, items, rules(&state)).await?;
    let results: Vec<Counted> = items.iter().zip(outcomes).map(|(item, outcome)| Counted::new(item, outcome)).collect();
    let count = |status| results.iter().filter(|result| result.status == status).count();
    Ok(Answer(CountedBatch {
        accepted: count("accepted"),
        duplicates: count("duplicate"),
        conflicts: count("conflict"),
        rejected: count("rejected"),
        results,
    }))
}

fn rules(state: &crate::State) -> Rules {
    Rules { now: Timestamp::now(), max_age_days: state.settings.max_age_days }
}
