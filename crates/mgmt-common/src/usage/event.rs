//! An event as it is sent, and as it is once it has been checked.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, json};
use uuid::Uuid;

use super::{content, id};
use crate::field_error::FieldError;

/// No use takes longer than a day; sums of such durations do not overflow.
pub const MAX_DURATION_MS: u64 = 86_400_000;
/// The largest event, as JSON.
pub const MAX_EVENT_BYTES: usize = 8 * 1024;

pub const EVENT_TYPES: [&str; 6] = ["api_call", "page_view", "feature_use", "error", "export", "import"];
pub const STATUSES: [&str; 3] = ["success", "failure", "partial"];

/// One use of a module, as it is sent; the snake_case spellings of the fields are read too.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UsageEvent {
    /// A UUIDv7 of the sender; the same id again is not counted again. Absent: the server makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `api_call`, `page_view`, `feature_use`, `error`, `export` or `import`.
    #[serde(alias = "event_type")]
    pub event_type: String,
    /// The module; in the path where only one event is sent.
    #[serde(default, alias = "module_name", skip_serializing_if = "Option::is_none")]
    pub module_name: Option<String>,
    /// What was done, in words of the module; at most 200 characters.
    #[serde(default, alias = "event_action", skip_serializing_if = "Option::is_none")]
    pub event_action: Option<String>,
    /// Any JSON; its keys are never re-cased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// The path that was called; at most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// At most 20 characters.
    #[serde(default, alias = "http_method", skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    /// Whole milliseconds, up to a day.
    #[serde(default, alias = "duration_ms", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "http", schema(value_type = Option<u32>))]
    pub duration_ms: Option<Number>,
    /// `success`, `failure` or `partial`.
    pub status: String,
    /// At most 200 characters.
    #[serde(default, alias = "error_code", skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// At most 2,000 characters.
    #[serde(default, alias = "error_message", skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// RFC 3339; its UTC day is the day the event counts for. Absent: the time of the id. Not part of what makes two events the same.
    #[serde(default, alias = "occurred_at", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "http", schema(format = DateTime))]
    pub occurred_at: Option<String>,
}

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
mod tests {
    use super::*;

    fn event(fields: &Value) -> UsageEvent {
        let mut event = json!({"eventType": "api_call", "moduleName": "module-ai", "status": "success"});
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(event).unwrap()
    }

    fn check(fields: &Value) -> Result<CheckedEvent, Vec<String>> {
        event(fields).check(id::make).map_err(|errors| errors.into_iter().map(|error| error.pointer).collect())
    }

    #[test]
    fn both_spellings_are_the_same_event_and_the_time_is_not_content() {
        let camel =
            check(&json!({"durationMs": 5, "metadata": {"aB": 1, "c": 2}, "occurredAt": "2026-11-02T14:00:00Z"}))
                .unwrap();
        let snake: UsageEvent = serde_json::from_value(json!({
            "event_type": "api_call", "module_name": "module-ai", "status": "success", "duration_ms": 5,
            "metadata": {"c": 2, "aB": 1}, "occurred_at": "2026-11-01T00:00:00+02:00",
        }))
        .unwrap();
        let snake = snake.check(id::make).unwrap();
        assert_eq!(camel.content_hash, snake.content_hash);
        assert_eq!(snake.occurred_at.to_string(), "2026-10-31T22:00:00Z");
        assert_ne!(
            camel.content_hash,
            check(&json!({"durationMs": 5, "metadata": {"a_b": 1, "c": 2}})).unwrap().content_hash
        );
        assert_ne!(camel.content_hash, check(&json!({"durationMs": 5})).unwrap().content_hash);
    }

    #[test]
    fn the_day_of_an_event_is_that_of_its_id_unless_it_says_otherwise() {
        let id = "01937a5c-8f00-7000-8000-000000000001";
        let checked = check(&json!({ "id": id })).unwrap();
        assert_eq!(checked.occurred_at, checked.id_time);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let long = "x".repeat(2_001);
        let errors = check(&json!({
            "id": "1", "eventType": "x", "status": "ok", "moduleName": null, "eventAction": long, "durationMs": -1,
            "occurredAt": "yesterday", "errorMessage": long,
        }));
        let expected = [
            "/id",
            "/eventType",
            "/status",
            "/moduleName",
            "/eventAction",
            "/errorMessage",
            "/durationMs",
            "/occurredAt",
        ];
        assert_eq!(errors.unwrap_err(), expected);
        for duration in [json!(1.5), json!(86_400_001), json!(1e30), json!(-0.5), json!(u64::MAX)] {
            assert_eq!(check(&json!({ "durationMs": duration })).unwrap_err(), ["/durationMs"], "{duration}");
        }
    }
}
