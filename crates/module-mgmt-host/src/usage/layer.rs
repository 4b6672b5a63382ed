//! The recorder as a tower layer around a handler of HTTP events.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt as _;
use lambda_runtime::Error;
use module_mgmt_protocol::api_gateway::RequestContext;
use module_mgmt_protocol::caller::Caller;
use module_mgmt_protocol::usage::EventType;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::{UsageRecorder, UsageSpan, UseOutcome};
use crate::middleware::{Middleware, MiddlewareLayer, RawEvent};

/// Records every HTTP request that has a caller. It belongs inside [`crate::warm::WarmLayer`], as pings are no use, and around
/// or inside the gate: around it, refusals are recorded too.
///
/// A handler that panics has failed as `handler_panicked`; when that is recorded the panic goes on, and the runtime answers as it would
/// without this layer. A request whose future is dropped leaves no record: nobody waits for its answer, and at a function's time limit
/// the whole sandbox ends, so that nothing could be sent any more.
pub type UsageLayer<P> = MiddlewareLayer<UsageRecorder, P>;

impl<P> UsageLayer<P> {
    pub fn new(recorder: UsageRecorder) -> Self {
        Self::of(recorder)
    }
}

impl<R: Serialize + Send> Middleware<R> for UsageRecorder {
    /// Read from what is sent, whatever type the handler answers with.
    type Answer = Box<RawValue>;

    async fn handle<H, F>(self, event: RawEvent, handler: H) -> Result<Box<RawValue>, Error>
    where
        H: FnOnce(RawEvent) -> F + Send + 'static,
        F: Future<Output = Result<R, Error>> + Send + 'static,
    {
        let begun = begin(&self, event.payload.get());
        let handled = async move { to_raw_value(&handler(event).await?).map_err(Error::from) };
        // Nothing of the handler is looked at after its panic: it goes on as it came.
        let outcome = AssertUnwindSafe(handled).catch_unwind().await;
        if let Some((caller, used)) = begun {
            let ended = match &outcome {
                Ok(Ok(answer)) => ended(answer.get()),
                Ok(Err(_)) => UseOutcome::Failure("handler_failed".into()),
                Err(_) => UseOutcome::Failure("handler_panicked".into()),
            };
            self.record(&caller.org_id, &caller.user_id, used, ended).await;
        }
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(default)]
    route_key: Option<String>,
    raw_path: String,
    request_context: RequestContext,
}

/// An event that is no HTTP request, or has no caller, is nobody's use.
fn begin(recorder: &UsageRecorder, event: &str) -> Option<(Caller, UsageSpan)> {
    let event: Event = serde_json::from_str(event).ok()?;
    let context = event.request_context;
    let caller = Caller::from_authorizer(&context.authorizer, recorder.claim_names())?;
    let mut used = UsageSpan::begin(EventType::ApiCall);
    // The route has the names of ids and not the ids; a catch-all route says nothing.
    let route = event.route_key.as_deref().and_then(|key| key.split_once(' ')).map(|(_, route)| route);
    let route = route.filter(|route| !route.contains("{proxy+}"));
    used.endpoint = Some(route.unwrap_or_else(|| context.path(&event.raw_path)).to_owned());
    used.http_method = Some(context.http.method);
    Some((caller, used))
}

#[derive(Deserialize)]
struct Answered {
    #[serde(rename = "statusCode")]
    status: Option<u16>,
    #[serde(default)]
    body: Option<Value>,
}

/// A problem document's code where there is one, else the HTTP status.
fn ended(answer: &str) -> UseOutcome {
    // An answer without a status is one of 200: API Gateway takes any JSON for a body.
    let (status, body) = match serde_json::from_str(answer) {
        Ok(Answered { status: Some(status @ 400..), body }) => (status, body),
        // Multi-Status (RFC 4918 section 11.1): some of it went well.
        Ok(Answered { status: Some(207), .. }) => return UseOutcome::Partial,
        _ => return UseOutcome::Success,
    };
    let problem = body.as_ref().and_then(Value::as_str).and_then(|body| serde_json::from_str::<Value>(body).ok());
    let code = problem.as_ref().and_then(|problem| problem["code"].as_str());
    UseOutcome::Failure(code.map_or_else(|| format!("http_{status}"), str::to_owned))
}
