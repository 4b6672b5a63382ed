//! One use of a module, from its beginning to its end.

use std::time::{Duration, Instant};

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
            duration_ms: Some(milliseconds(self.started.elapsed())),
            status,
            error_code,
            metadata: None,
            error_message: None,
            occurred_at: None,
        }
    }
}

/// Longer than a day is told as a day: the control plane takes no more.
fn milliseconds(elapsed: Duration) -> u32 {
    u32::try_from(elapsed.as_millis()).unwrap_or(u32::MAX).min(MAX_DURATION_MS)
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_to_the_characters_that_the_control_plane_takes() {
        let text = "ä".repeat(3_000);
        let mut span = UsageSpan::begin(EventType::ApiCall);
        span.event_action = Some(text.clone());
        span.endpoint = Some(text.clone());
        span.http_method = Some(text.clone());
        let event = span.end("module-orders", UseOutcome::Failure(text));
        let lengths = [event.event_action, event.endpoint, event.http_method, event.error_code]
            .map(|text| text.unwrap().chars().count());
        assert_eq!(lengths, [200, 2_000, 20, 200]);
    }

    #[test]
    fn a_use_of_more_than_a_day_is_told_as_a_day() {
        for (elapsed, told) in [
            (Duration::from_micros(1_999), 1),
            (Duration::from_millis(86_399_999), 86_399_999),
            (Duration::from_secs(86_401), 86_400_000),
            // More milliseconds than 32 bits hold.
            (Duration::from_secs(86_400 * 365), 86_400_000),
        ] {
            assert_eq!(milliseconds(elapsed), told, "{elapsed:?}");
        }
    }
}
