//! The recorder as a tower layer around a handler of HTTP events.

use std::pin::Pin;
use std::task::{Context, Poll};

use std::marker::PhantomData;

use lambda_runtime::{Error, LambdaEvent};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tower::{Layer, Service};

use super::{Ended, UsageRecorder, Use};
use crate::api_gateway::RequestContext;
use crate::caller::Caller;

/// Records every HTTP request that has a caller. It belongs inside [`crate::host::warm::WarmLayer`], as pings are no use, and around
/// or inside the gate: around it, refusals are recorded too.
#[derive(Debug, Clone)]
pub struct UsageLayer<P> {
    recorder: UsageRecorder,
    payload: PhantomData<fn(P)>,
}

impl<P> UsageLayer<P> {
    pub fn new(recorder: UsageRecorder) -> Self {
        Self { recorder, payload: PhantomData }
    }
}

impl<S, P> Layer<S> for UsageLayer<P>
where
    S: Service<LambdaEvent<P>>,
{
    type Service = UsageService<S, P>;

    fn layer(&self, handler: S) -> Self::Service {
        UsageService { recorder: self.recorder.clone(), handler, payload: PhantomData }
    }
}

/// A handler behind [`UsageLayer`].
#[derive(Debug, Clone)]
pub struct UsageService<S, P> {
    recorder: UsageRecorder,
    handler: S,
    payload: PhantomData<fn(P)>,
}

impl<S, P> Service<LambdaEvent<Box<RawValue>>> for UsageService<S, P>
where
    S: Service<LambdaEvent<P>> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: Serialize + Send,
    S::Error: Into<Error>,
    P: for<'de> Deserialize<'de> + Send,
{
    type Response = Box<RawValue>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.handler.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, event: LambdaEvent<Box<RawValue>>) -> Self::Future {
        // The handler that was polled ready is the one to call; the clone waits for the next event.
        let next = self.handler.clone();
        let mut handler = std::mem::replace(&mut self.handler, next);
        let recorder = self.recorder.clone();
        Box::pin(async move {
            let begun = begin(&recorder, event.payload.get());
            let payload = serde_json::from_str(event.payload.get())?;
            let answer = handler.call(LambdaEvent::new(payload, event.context)).await.map_err(Into::into);
            // Read from what is sent, whatever type the handler answers with.
            let answer = answer.and_then(|answer| to_raw_value(&answer).map_err(Error::from));
            if let Some((caller, used)) = begun {
                let ended = answer
                    .as_ref()
                    .map_or_else(|_| Ended::Badly("handler_failed".into()), |answer| ended(answer.get()));
                recorder.record(&caller.org_id, &caller.user_id, used, ended).await;
            }
            answer
        })
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
fn begin(recorder: &UsageRecorder, event: &str) -> Option<(Caller, Use)> {
    let event: Event = serde_json::from_str(event).ok()?;
    let context = event.request_context;
    let caller = Caller::from_authorizer(context.authorizer.as_ref()?, &recorder.shared.claim_names)?;
    let mut used = Use::begin("api_call");
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
fn ended(answer: &str) -> Ended {
    // An answer without a status is one of 200: API Gateway takes any JSON for a body.
    let Ok(Answered { status: Some(status @ 400..), body }) = serde_json::from_str(answer) else { return Ended::Well };
    let problem = body.as_ref().and_then(Value::as_str).and_then(|body| serde_json::from_str::<Value>(body).ok());
    let code = problem.as_ref().and_then(|problem| problem["code"].as_str());
    Ended::Badly(code.map_or_else(|| format!("http_{status}"), str::to_owned))
}
