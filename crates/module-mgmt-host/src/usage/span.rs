//! One use of a module, from its beginning to its end.

use std::time::Instant;

use module_mgmt_protocol::usage::{EventStatus, EventType, MAX_DURATION_MS, UsageEvent, longest};

/// A use that has begun.
#[derive(Debug)]
pub struct UsageSpan {
    id: uuid::Uuid,
    started: Instant,
    event_type: EventType,
    /// What was done, in words of the module.
    pub event_action: Option<String>,
    /// The route, without the ids in it.
    pub endpoint: Option<String>,
    pub http_method: Option<String>,
}

/// How a use ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UseOutcome {
    Success,
    /// Some of it succeeded.
    Partial,
    /// With a code that programs can read. Words may hold what users wrote, so they are not recorded.
    Failure(String),
}

impl UsageSpan {
    /// Call it when the use begins.
    pub fn begin(event_type: EventType) -> Self {
        let (id, started) = (uuid::Uuid::now_v7(), Instant::now());
        Self { id, started, event_type, event_action: None, endpoint: None, http_method: None }
    }

    /// The record of it. Texts are cut to what the control plane takes.
    pub(super) fn end(self, module: &str, ended: UseOutcome) -> UsageEvent {
        let (status, error_code) = match ended {
            UseOutcome::Success => (EventStatus::Success, None),
            UseOutcome::Partial => (EventStatus::Partial, None),
            UseOutcome::Failure(code) => (EventStatus::Failure, Some(cut(&code, longest::ERROR_CODE))),
        };
        UsageEvent {
            id: Some(self.id.to_string()),
            module_name: Some(module.to_owned()),
            event_type: self.event_type,
            event_action: self.event_action.map(|text| cut(&text, longest::EVENT_ACTION)),
            endpoint: self.endpoint.map(|text| cut(&text, longest::ENDPOINT)),
            http_method: self.http_method.map(|text| cut(&text, longest::HTTP_METHOD)),
            duration_ms: Some(
                u32::try_from(self.started.elapsed().as_millis()).unwrap_or(u32::MAX).min(MAX_DURATION_MS),
            ),
            status,
            error_code,
            metadata: None,
            error_message: None,
            occurred_at: None,
        }
    }
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}
