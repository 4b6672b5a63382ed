//! An event once it has been checked. Whoever counts, over HTTP, from the queue or in a host, counts what came through here.

use std::borrow::Cow;

use jiff::Timestamp;
use module_mgmt_protocol::field_error::FieldError;
use module_mgmt_protocol::usage::reject_reason::RejectReason;
use module_mgmt_protocol::usage::{EventStatus, EventType, MAX_DURATION_MS, longest};
use serde_json::Number;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::content::ContentHash;
use super::id;
use super::refusal::Refusal;
use super::sent::{Field, SentEvent};

/// An event whose values are what they should be.
#[derive(Debug, Clone)]
pub struct CheckedEvent<'a> {
    pub id: Uuid,
    /// The time in the id.
    pub id_time: Timestamp,
    /// When it happened: as sent, else the time in the id.
    pub occurred_at: Timestamp,
    pub module_name: Cow<'a, str>,
    pub event_type: EventType,
    pub status: EventStatus,
    pub duration_ms: Option<i32>,
    pub event_action: Option<Cow<'a, str>>,
    pub endpoint: Option<Cow<'a, str>>,
    pub http_method: Option<Cow<'a, str>>,
    pub error_code: Option<Cow<'a, str>>,
    pub error_message: Option<Cow<'a, str>>,
    /// As it was sent.
    pub metadata: Option<&'a RawValue>,
    pub content_hash: [u8; 16],
}

/// The faults that are found on the way.
#[derive(Default)]
struct Faults {
    /// Of the shape: fields that are missing, unknown, repeated or of another type.
    shape: Vec<FieldError>,
    /// Of values.
    values: Vec<FieldError>,
}

impl<'a> CheckedEvent<'a> {
    /// Checks every field. `module_name` is the module that the path names, if it does; `made` is the id for an event that came without.
    ///
    /// # Errors
    /// Everything that is wrong, with pointers into the event.
    pub fn check(
        sent: SentEvent<'a>,
        module_name: Option<&'a str>,
        made: impl FnOnce() -> (Uuid, Timestamp),
    ) -> Result<Self, Refusal> {
        let mut faults = Faults { shape: sent.faults, values: Vec::new() };
        let has_own_id = sent.id != Field::Absent;
        let id = match faults.text("/id", sent.id, usize::MAX) {
            Some(sent) => faults.value("/id", id::parse(&sent).map_err(str::to_owned)),
            None => Some(made()),
        };
        let event_type = faults.one_of("/eventType", sent.event_type, EventType::from_text, || {
            EventType::ALL.map(EventType::as_str).join(", ")
        });
        let status = faults.one_of("/status", sent.status, EventStatus::from_text, || {
            EventStatus::ALL.map(EventStatus::as_str).join(", ")
        });
        let own = faults.text("/moduleName", sent.module_name, longest::MODULE_NAME);
        let module_name = faults.value("/moduleName", same_module(own, module_name));
        let event_action = faults.text("/eventAction", sent.event_action, longest::EVENT_ACTION);
        let endpoint = faults.text("/endpoint", sent.endpoint, longest::ENDPOINT);
        let http_method = faults.text("/httpMethod", sent.http_method, longest::HTTP_METHOD);
        let error_code = faults.text("/errorCode", sent.error_code, longest::ERROR_CODE);
        let error_message = faults.text("/errorMessage", sent.error_message, longest::ERROR_MESSAGE);
        let duration = faults.number("/durationMs", sent.duration_ms);
        let duration_ms = duration.as_ref().and_then(|sent| faults.value("/durationMs", milliseconds(sent)));
        let occurred_at = faults.text("/occurredAt", sent.occurred_at, usize::MAX);
        let occurred_at = occurred_at.and_then(|sent| faults.value("/occurredAt", instant(&sent)));

        let found = (id, event_type, status, module_name);
        let ((Some((id, id_time)), Some(event_type), Some(status), Some(module_name)), true) =
            (found, faults.is_none())
        else {
            return Err(Refusal { event_id: id.map(|(id, _)| id).filter(|_| has_own_id), ..faults.into_refusal() });
        };
        // Over all that was sent but id and time. An event without an id has no second delivery to compare with.
        let mut content = ContentHash::of_list(10);
        content.text(Some(event_type.as_str()));
        content.text(Some(&module_name));
        content.text(event_action.as_deref());
        content.value(sent.metadata.as_ref().map(|metadata| &metadata.tree));
        content.text(endpoint.as_deref());
        content.text(http_method.as_deref());
        content.number(duration.as_ref());
        content.text(Some(status.as_str()));
        content.text(error_code.as_deref());
        content.text(error_message.as_deref());
        Ok(Self {
            id,
            id_time,
            occurred_at: occurred_at.unwrap_or(id_time),
            module_name,
            event_type,
            status,
            duration_ms,
            event_action,
            endpoint,
            http_method,
            error_code,
            error_message,
            metadata: sent.metadata.map(|metadata| metadata.raw),
            content_hash: content.finish(),
        })
    }
}

fn same_module<'a>(own: Option<Cow<'a, str>>, of_path: Option<&'a str>) -> Result<Cow<'a, str>, String> {
    match (own, of_path) {
        (Some(own), Some(of_path)) if own != of_path => Err("must be the module of the path, or absent".to_owned()),
        (Some(own), _) => Ok(own),
        (None, Some(of_path)) => Ok(Cow::Borrowed(of_path)),
        (None, None) => Err("is missing".to_owned()),
    }
}

fn milliseconds(sent: &Number) -> Result<i32, String> {
    let whole = sent.as_u64().filter(|ms| *ms <= u64::from(MAX_DURATION_MS)).and_then(|ms| i32::try_from(ms).ok());
    whole.ok_or_else(|| format!("must be a whole number from 0 to {MAX_DURATION_MS}"))
}

fn instant(sent: &str) -> Result<Timestamp, String> {
    sent.parse().map_err(|_| "must be an instant such as 2026-11-02T14:00:00Z".to_owned())
}

impl Faults {
    fn is_none(&self) -> bool {
        self.shape.is_empty() && self.values.is_empty()
    }

    fn into_refusal(self) -> Refusal {
        let reason = if self.shape.is_empty() { RejectReason::Invalid } else { RejectReason::Malformed };
        Refusal::of(reason, self.shape.into_iter().chain(self.values).collect())
    }

    fn value<T>(&mut self, pointer: &str, checked: Result<T, String>) -> Option<T> {
        checked.map_err(|message| self.values.push(FieldError::new(pointer, message))).ok()
    }

    fn of_shape(&mut self, pointer: &str, message: &str) {
        self.shape.push(FieldError::new(pointer, message));
    }

    /// `None` where it is absent, or of another type, which is a fault.
    fn text<'a>(&mut self, pointer: &str, field: Field<'a>, longest: usize) -> Option<Cow<'a, str>> {
        match field {
            Field::Absent => None,
            Field::Text(text) if text.contains('\0') => {
                self.of_shape(pointer, "holds the NUL character");
                None
            }
            Field::Text(text) => {
                // A text has at most as many characters as bytes, and most are far below every limit.
                if text.len() > longest && text.chars().count() > longest {
                    self.values.push(FieldError::new(pointer, format!("must have at most {longest} characters")));
                }
                Some(text)
            }
            Field::Number(_) | Field::Other => {
                self.of_shape(pointer, "must be a text");
                None
            }
        }
    }

    fn number(&mut self, pointer: &str, field: Field<'_>) -> Option<Number> {
        match field {
            Field::Absent => None,
            Field::Number(number) => Some(number),
            Field::Text(_) | Field::Other => {
                self.of_shape(pointer, "must be a number");
                None
            }
        }
    }

    /// A required text out of a list.
    fn one_of<T>(
        &mut self,
        pointer: &str,
        field: Field<'_>,
        read: fn(&str) -> Option<T>,
        all: fn() -> String,
    ) -> Option<T> {
        if field == Field::Absent {
            self.of_shape(pointer, "is missing");
            return None;
        }
        let text = self.text(pointer, field, usize::MAX)?;
        self.value(pointer, read(&text).ok_or_else(|| format!("must be one of {}", all())))
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
