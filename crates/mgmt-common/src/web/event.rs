//! Which kind of event an invocation brings. A body may be megabytes, so the payload is read once for all kinds.

use std::collections::BTreeMap;

use aws_lambda_events::event::sqs::SqsMessage;
use jiff::Timestamp;
use module_mgmt_protocol::api_gateway::RequestContext;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::gateway::HttpEvent;

/// An event by its kind.
#[derive(Debug)]
pub(super) enum Event {
    Http(Box<HttpEvent>),
    /// It has a request context, but is none of an HTTP API with payload 2.0; why.
    UnreadableHttp(String),
    /// Of an EventBridge rule with a schedule: the scheduled minute.
    Scheduled(Option<Timestamp>),
    /// Messages of SQS.
    Queue(Vec<SqsMessage>),
    Other,
}

/// The parts of all kinds together; absent keys are absent, not null.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parts {
    request_context: Option<RequestContext>,
    raw_path: Option<String>,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    time: Option<Timestamp>,
    #[serde(rename = "Records", default)]
    records: Vec<SqsMessage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    request_context: Option<IgnoredAny>,
}

impl Event {
    /// # Errors
    /// The payload is no JSON object, or none of a kind that is known.
    pub(super) fn read(payload: &str) -> Result<Self, serde_json::Error> {
        let parts: Parts = match serde_json::from_str(payload) {
            Ok(parts) => parts,
            Err(error) => {
                let kind: Kind = serde_json::from_str(payload)?;
                return kind.request_context.map(|_| Self::UnreadableHttp(error.to_string())).ok_or(error);
            }
        };
        let is_queue = parts.records.iter().any(|record| record.event_source.as_deref() == Some("aws:sqs"));
        Ok(match (parts.request_context, parts.raw_path) {
            (Some(request_context), Some(raw_path)) => Self::Http(Box::new(HttpEvent {
                raw_path,
                raw_query_string: parts.raw_query_string,
                headers: parts.headers,
                body: parts.body,
                is_base64_encoded: parts.is_base64_encoded,
                request_context,
            })),
            (Some(_), None) => Self::UnreadableHttp("missing field `rawPath`".to_owned()),
            (None, _) if parts.detail_type.as_deref() == Some("Scheduled Event") => Self::Scheduled(parts.time),
            (None, _) if is_queue => Self::Queue(parts.records),
            (None, _) => Self::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(event: &Value) -> Event {
        Event::read(&event.to_string()).unwrap()
    }

    #[test]
    fn each_kind_is_recognised_by_what_it_must_have() {
        let context = json!({"http": {"method": "GET"}, "stage": "$default", "requestId": "r"});
        let http = json!({"rawPath": "/a", "headers": {"a": "b"}, "body": "{}", "requestContext": context});
        assert!(matches!(read(&http), Event::Http(event) if event.path() == "/a" && event.method() == "GET"));
        for broken in [json!({"requestContext": context}), json!({"rawPath": "/a", "requestContext": {"http": 1}})] {
            assert!(matches!(read(&broken), Event::UnreadableHttp(_)), "{broken}");
        }
        let time = "2026-11-02T14:00:00Z";
        let scheduled = json!({"detail-type": "Scheduled Event", "time": time, "source": "aws.events", "detail": {}});
        assert!(matches!(read(&scheduled), Event::Scheduled(Some(read)) if read == time.parse().unwrap()));
        let queue = json!({"Records": [{"messageId": "m", "body": "b", "eventSource": "aws:sqs", "attributes": {}, "messageAttributes": {}}]});
        assert!(matches!(read(&queue), Event::Queue(records) if records.len() == 1));
        for other in [json!({}), json!({"detail-type": "Other"}), json!({"Records": []})] {
            assert!(matches!(read(&other), Event::Other), "{other}");
        }
        assert!(Event::read("[]").is_err() && Event::read("{").is_err() && Event::read("{\"time\": \"x\"}").is_err());
    }
}
