//! An event once it has been checked. Whoever counts, over HTTP, from the queue or in a host, counts what came through here.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::event::{EVENT_TYPES, MAX_DURATION_MS, STATUSES, UsageEvent};
use super::{content, id};
use crate::field_error::FieldError;

/// An event whose values are what they should be.
#[derive(Debug, Clone)]
pub struct CheckedEvent {
    pub id: Uuid,
    /// The time in the id.
    pub id_time: Timestamp,
    /// When it happened: as sent, else the time in the id.
    pub occurred_at: Timestamp,
    pub module_name: String,
    pub duration_ms: Option<i32>,
    pub content_hash: [u8; 16],
    /// The fields that are stored as they came.
    pub sent: UsageEvent,
}

impl UsageEvent {
    /// Checks every value. `made` is the id for an event that came without.
    ///
    /// # Errors
    /// Everything that is wrong, with pointers into the event.
    pub fn check(self, made: impl FnOnce() -> (Uuid, Timestamp)) -> Result<CheckedEvent, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut wrong = |pointer: &str, message: String| errors.push(FieldError::new(pointer, message));
        let event_id = match &self.id {
            Some(sent) => id::parse(sent).map_err(|message| wrong("/id", message.to_owned())).ok(),
            None => Some(made()),
        };
        if !EVENT_TYPES.contains(&self.event_type.as_str()) {
            wrong("/eventType", format!("must be one of {}", EVENT_TYPES.join(", ")));
        }
        if !STATUSES.contains(&self.status.as_str()) {
            wrong("/status", format!("must be one of {}", STATUSES.join(", ")));
        }
        if self.module_name.is_none() {
            wrong("/moduleName", "is missing".to_owned());
        }
        for (pointer, text, limit) in [
            ("/moduleName", &self.module_name, 200),
            ("/eventAction", &self.event_action, 200),
            ("/endpoint", &self.endpoint, 2_000),
            ("/httpMethod", &self.http_method, 20),
            ("/errorCode", &self.error_code, 200),
            ("/errorMessage", &self.error_message, 2_000),
        ] {
            if text.as_ref().is_some_and(|text| text.chars().count() > limit) {
                wrong(pointer, format!("must have at most {limit} characters"));
            }
        }
        let duration = self.duration_ms.as_ref().map(|sent| sent.as_u64().filter(|ms| *ms <= MAX_DURATION_MS));
        if duration == Some(None) {
            wrong("/durationMs", format!("must be a whole number from 0 to {MAX_DURATION_MS}"));
        }
        let occurred_at: Option<Option<Timestamp>> = self.occurred_at.as_ref().map(|sent| sent.parse().ok());
        if occurred_at == Some(None) {
            wrong("/occurredAt", "must be an instant such as 2026-11-02T14:00:00Z".to_owned());
        }
        let Some((id, id_time)) = event_id.filter(|_| errors.is_empty()) else { return Err(errors) };
        Ok(CheckedEvent {
            id,
            id_time,
            occurred_at: occurred_at.flatten().unwrap_or(id_time),
            module_name: self.module_name.clone().unwrap_or_default(),
            duration_ms: duration.flatten().and_then(|ms| i32::try_from(ms).ok()),
            content_hash: self.content_hash(),
            sent: self,
        })
    }

    /// Over all that was sent but id and time. An event without an id has no second delivery to compare with.
    fn content_hash(&self) -> [u8; 16] {
        content::hash(&json!([
            self.event_type,
            self.module_name,
            self.event_action,
            self.metadata,
            self.endpoint,
            self.http_method,
            self.duration_ms,
            self.status,
            self.error_code,
            self.error_message,
        ]))
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
