//! What a ping carries, and what its answer proves. Pure.

use mgmt_common::aws::AwsErrorKind;
use mgmt_common::functions::InvokeOutcome;
use mgmt_common::schedule::functions::Payload;
use mgmt_common::text;
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
pub(crate) enum PingOutcome {
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
pub(crate) fn classify(payload: &Payload, outcome: InvokeOutcome) -> PingOutcome {
    match outcome {
        InvokeOutcome::Answered { payload: answer } if *payload == Payload::Native => match read(&answer) {
            Some(answer) => PingOutcome::Reached(Some(answer)),
            None => PingOutcome::NotTheProtocol(cut(format!("it answered {}", excerpt(&answer)))),
        },
        InvokeOutcome::Answered { .. } => PingOutcome::Reached(None),
        InvokeOutcome::FunctionError { kind, payload } => {
            PingOutcome::Unclear(cut(format!("it failed ({kind}): {}", excerpt(&payload))))
        }
        InvokeOutcome::TimedOut => PingOutcome::Unclear("it did not answer in time".into()),
        InvokeOutcome::Throttled { .. } => PingOutcome::Throttled,
        InvokeOutcome::NotFound { message } | InvokeOutcome::Denied { message } => PingOutcome::NotRun(cut(message)),
        InvokeOutcome::NotSent(error) => PingOutcome::NotRun(cut(error.to_string())),
        InvokeOutcome::Failed(error) => match error.kind {
            AwsErrorKind::Server | AwsErrorKind::Unreachable | AwsErrorKind::DeadlinePassed => {
                PingOutcome::Unclear(cut(error.to_string()))
            }
            AwsErrorKind::Throttled
            | AwsErrorKind::Conflict
            | AwsErrorKind::Denied
            | AwsErrorKind::LimitExceeded
            | AwsErrorKind::NotFound
            | AwsErrorKind::Refused => PingOutcome::NotRun(cut(error.to_string())),
        },
    }
}

/// The longest answer that can be the protocol's, in bytes, and the longest id in it, in characters.
const MAX_ANSWER_BYTES: usize = 1024;
const MAX_INSTANCE_ID: usize = 100;
/// Nothing starts for longer: Lambda ends an invocation after 15 minutes, start included.
const MAX_INIT_MS: u64 = 900_000;
/// A longer answer is not looked into.
const MAX_EXCERPT_BYTES: usize = 8 * 1024;
/// The longest that is kept of what a function or AWS says, in characters.
const MAX_WORDS: usize = 300;

/// An answer in the protocol, with figures that can be. The function that gives it is somebody else's.
fn read(answer: &[u8]) -> Option<PingAnswer> {
    let answer: PingAnswer = serde_json::from_slice(answer.get(..answer.len().min(MAX_ANSWER_BYTES + 1))?).ok()?;
    let id = &answer.instance_id;
    let is_id = !id.is_empty() && id.chars().count() <= MAX_INSTANCE_ID && !id.chars().any(char::is_control);
    (is_id && answer.init_ms <= MAX_INIT_MS).then_some(answer)
}

fn cut(words: String) -> String {
    text::cut(words, MAX_WORDS)
}

/// Enough of an answer for a person to recognise it; keys only, because values may be anybody's data.
fn excerpt(payload: &[u8]) -> String {
    if payload.len() > MAX_EXCERPT_BYTES {
        return format!("{} bytes and more", payload.len());
    }
    match serde_json::from_slice::<Value>(payload) {
        Ok(Value::Object(fields)) => {
            let start = |key: &String| key.chars().take(20).collect::<String>();
            let keys: Vec<String> = fields.keys().map(start).take(8).collect();
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
