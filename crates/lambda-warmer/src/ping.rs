//! What a ping carries, and what its answer proves. Pure.

use mgmt_common::aws::AwsErrorKind;
use mgmt_common::functions::InvokeOutcome;
use mgmt_common::schedule::functions::Payload;
use module_mgmt_protocol::ping::{PING_SOURCE, Ping, PingAnswer};
use serde_json::{Value, json};

/// An invoke to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) payload: Vec<u8>,
    /// JSON text.
    pub(crate) client_context: Option<String>,
}

/// The payload of one ping.
///
/// - Native pings carry neither `warmer` nor `concurrency`: other libraries would fan out again.
/// - lambda-warmer 2.3 takes `concurrency` as an order to fan out, so it is left out; a numbered invocation beyond the first
///   holds its instance for its delay. The numbers start at 2, as if this warmer were the package's first invocation.
/// - The warmer that serverless-plugin-warmup 8.4 generates sends its source as payload and as `custom` client context.
pub(crate) fn message(payload: &Payload, ping: &Ping) -> Message {
    let value = match payload {
        Payload::Native => json!({ "source": PING_SOURCE, "ping": ping }),
        Payload::LambdaWarmer => json!({
            "warmer": true,
            "__WARMER_INVOCATION__": ping.invocation + 1,
            "__WARMER_CONCURRENCY__": ping.of + 1,
            "__WARMER_CORRELATIONID__": ping.run_id,
        }),
        Payload::ServerlessPluginWarmup => json!({ "source": "serverless-plugin-warmup" }),
        Payload::Custom(value) => value.clone(),
    };
    let client_context = match payload {
        Payload::ServerlessPluginWarmup => Some(json!({ "custom": value }).to_string()),
        _ => None,
    };
    Message { payload: value.to_string().into_bytes(), client_context }
}

/// What one ping showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    /// An instance answered; with proof when it speaks our protocol.
    Reached(Option<PingAnswer>),
    /// A native ping was answered by something else than the warm layer: a real handler has run.
    NotTheProtocol(String),
    /// No answer that shows what has run, if anything.
    Unclear(String),
    /// Nothing ran, and soon it may.
    Throttled,
    /// Nothing ran.
    NotRun(String),
}

/// Reads an outcome.
///
/// Lambda's own refusals (4xx) come instead of a run: "Error codes are reserved for errors that prevent your function from
/// executing" (Lambda API reference, `Invoke`). A 5xx comes from Lambda too, but may come after it has handed the event over,
/// and so may the end of a connection.
pub(crate) fn shown(payload: &Payload, outcome: InvokeOutcome) -> Shown {
    match outcome {
        InvokeOutcome::Answered { payload: answer } if *payload == Payload::Native => {
            match serde_json::from_slice::<PingAnswer>(&answer) {
                Ok(answer) => Shown::Reached(Some(answer)),
                Err(_) => Shown::NotTheProtocol(format!("it answered {}", excerpt(&answer))),
            }
        }
        InvokeOutcome::Answered { .. } => Shown::Reached(None),
        InvokeOutcome::FunctionError { kind, payload } => {
            Shown::Unclear(format!("it failed ({kind}): {}", excerpt(&payload)))
        }
        InvokeOutcome::TimedOut => Shown::Unclear("it did not answer in time".into()),
        InvokeOutcome::Throttled { .. } => Shown::Throttled,
        InvokeOutcome::NotFound { message } | InvokeOutcome::Denied { message } => Shown::NotRun(message),
        InvokeOutcome::NotSent(error) => Shown::NotRun(error.to_string()),
        InvokeOutcome::Failed(error) => match error.kind {
            AwsErrorKind::Server | AwsErrorKind::Unreachable | AwsErrorKind::DeadlinePassed => {
                Shown::Unclear(error.to_string())
            }
            AwsErrorKind::Throttled
            | AwsErrorKind::Conflict
            | AwsErrorKind::Denied
            | AwsErrorKind::LimitExceeded
            | AwsErrorKind::NotFound
            | AwsErrorKind::Refused => Shown::NotRun(error.to_string()),
        },
    }
}

/// Enough of an answer for a person to recognise it; keys only, because values may be anybody's data.
fn excerpt(payload: &[u8]) -> String {
    match serde_json::from_slice::<Value>(payload) {
        Ok(Value::Object(fields)) => {
            let keys: Vec<&str> = fields.keys().map(String::as_str).take(8).collect();
            format!("an object with the keys {keys:?}")
        }
        Ok(Value::Array(items)) => format!("a list of {} items", items.len()),
        Ok(Value::String(_)) => "a text".into(),
        Ok(other) => format!("{other}"),
        Err(_) => format!("{} bytes that are no JSON", payload.len()),
    }
}

#[cfg(test)]
#[path = "ping_tests.rs"]
mod tests;
