//! The one entry of a function: API Gateway events go to the router, scheduled events and queues to typed handlers.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsMessage};
use axum::Router;
use axum::response::{IntoResponse as _, Response};
use lambda_runtime::{Context, LambdaEvent, Runtime, service_fn};
use module_mgmt_protocol::caller::{Caller, ClaimNames};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tower::ServiceExt as _;
use tracing::Instrument as _;

use super::error::{Error, Result, UnfinishedProblem};
use super::event::Event;
use super::gateway::{self, HttpEvent};

/// Default cap of a request body, well below the gateway's own 6 MB.
pub const DEFAULT_BODY_LIMIT_BYTES: usize = 1024 * 1024;

pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
pub type ScheduledHandler = Arc<dyn Fn(ScheduledEvent) -> BoxFuture<Result<Value>> + Send + Sync>;

/// Handles messages of a queue and names those that must be delivered again. It has no other way to fail: an error would have all
/// of them delivered again.
pub type QueueHandler = Arc<dyn Fn(QueueEvent) -> BoxFuture<Vec<String>> + Send + Sync>;

/// Messages of an SQS queue whose event source mapping has ReportBatchItemFailures.
/// Source: "Implementing partial batch responses" in the Lambda developer guide.
#[derive(Debug, Clone)]
pub struct QueueEvent {
    pub messages: Vec<QueueMessage>,
    /// When Lambda ends this invocation.
    pub deadline: Instant,
}

#[derive(Debug, Clone)]
pub struct QueueMessage {
    /// What the answer names; the same when the message is delivered again.
    pub id: String,
    pub body: String,
    /// When the sender handed it to the queue.
    pub sent: SystemTime,
}

/// An event of an EventBridge scheduled rule.
/// Source: "AWS events from scheduled rules" in the EventBridge event reference.
#[derive(Debug, Clone)]
pub struct ScheduledEvent {
    /// The scheduled minute, whenever it was delivered.
    pub time: SystemTime,
    /// When Lambda ends this invocation.
    pub deadline: Instant,
    /// The ARN by which this function was invoked.
    pub function_arn: String,
}

/// What a function answers to. A function without a router (the warmer) leaves it `None`.
#[derive(Clone, Default)]
pub struct Service {
    pub router: Option<Router>,
    pub claim_names: ClaimNames,
    pub scheduled: Option<ScheduledHandler>,
    pub queue: Option<QueueHandler>,
    /// 0 means [`DEFAULT_BODY_LIMIT_BYTES`].
    pub body_limit_bytes: usize,
}

/// Gives unknown paths and methods the same kind of answer that handlers give.
pub fn with_fallbacks(router: Router) -> Router {
    router.fallback(|| async { Error::NotFound }).method_not_allowed_fallback(|| async { Error::MethodNotAllowed })
}

/// Serves events until the sandbox ends.
///
/// # Errors
/// When the Runtime API cannot be reached.
pub async fn run(service: Service) -> Result<(), lambda_runtime::Error> {
    let handler = service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let service = service.clone();
        async move { service.handle(&event.payload, &event.context).await }
    });
    Runtime::new(handler).run().await
}

impl Service {
    /// Handles one invocation.
    ///
    /// # Errors
    /// An event of a kind that this function does not serve, or a failed scheduled run. HTTP requests always get an
    /// HTTP answer.
    pub async fn handle(&self, payload: &RawValue, context: &Context) -> Result<Box<RawValue>, lambda_runtime::Error> {
        match (Event::read(payload.get())?, &self.scheduled, &self.queue) {
            (Event::Http(event), _, _) if self.router.is_some() => Ok(self.answer(*event, context).await?),
            (Event::UnreadableHttp(error), _, _) if self.router.is_some() => Ok(unreadable(&error, context).await?),
            (Event::Scheduled(time), Some(handler), _) => {
                let time = SystemTime::from(time.ok_or("the scheduled event has no time")?);
                let function_arn = context.invoked_function_arn.clone();
                let event = ScheduledEvent { time, deadline: deadline(context), function_arn };
                Ok(to_raw_value(&handler(event).await?)?)
            }
            (Event::Queue(records), _, Some(handler)) => {
                let event = queue_event(records, deadline(context))?;
                let mut answer = SqsBatchResponse::default();
                answer.batch_item_failures = handler(event).await.into_iter().map(failure).collect();
                // An answer without the list would acknowledge everything as well, but by accident.
                Ok(to_raw_value(&answer)?)
            }
            _ => Err("this function does not serve events of this kind".into()),
        }
    }

    async fn answer(&self, event: HttpEvent, context: &Context) -> Result<Box<RawValue>, serde_json::Error> {
        let started = Instant::now();
        let request_id = event.request_id().unwrap_or(&context.request_id).to_owned();
        let method = event.method().to_owned();
        let path = event.path().to_owned();
        // Whatever is logged on the way carries the id that the answer names.
        let span = tracing::info_span!("request", request_id, user = tracing::field::Empty);
        let response = self.route(event).instrument(span.clone()).await;
        let response = finish(response, &path, &request_id);
        let status = response.status().as_u16();
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        // Debug formatting escapes control characters, so that a strange path cannot forge a log line.
        span.in_scope(|| tracing::info!(?method, ?path, status, duration_ms, "request"));
        to_raw_value(&gateway::respond(response).await)
    }

    async fn route(&self, event: HttpEvent) -> Response {
        let limit = if self.body_limit_bytes == 0 { DEFAULT_BODY_LIMIT_BYTES } else { self.body_limit_bytes };
        let mut request = match event.into_request(&self.claim_names, limit) {
            Ok(request) => request,
            Err(error) => return error.into_response(),
        };
        if let Some(caller) = request.extensions().get::<Caller>() {
            tracing::Span::current().record("user", tracing::field::debug(&caller.user_id));
        }
        // axum answers HEAD with GET's handler; no route of ours documents HEAD. TRACE stands in for it, which none has.
        if request.method() == http::Method::HEAD {
            *request.method_mut() = http::Method::TRACE;
        }
        let Some(router) = self.router.clone() else { return Error::NotFound.into_response() };
        match router.oneshot(request).await {
            Ok(response) => without_head(response),
            Err(never) => match never {},
        }
    }
}

/// API Gateway sends no such event; whoever invoked the function directly is told what is wrong.
async fn unreadable(error: &str, context: &Context) -> Result<Box<RawValue>, serde_json::Error> {
    let error = Error::malformed(format!("not an HTTP API 2.0 event: {error}"));
    to_raw_value(&gateway::respond(finish(error.into_response(), "", &context.request_id)).await)
}

fn deadline(context: &Context) -> Instant {
    Instant::now() + context.deadline().duration_since(SystemTime::now()).unwrap_or_default()
}

fn queue_event(records: Vec<SqsMessage>, deadline: Instant) -> Result<QueueEvent, lambda_runtime::Error> {
    let messages = records.into_iter().map(|record| {
        let sent = record.attributes.get("SentTimestamp").and_then(|ms| ms.parse().ok());
        Ok(QueueMessage {
            id: record.message_id.ok_or("a message has no id")?,
            body: record.body.unwrap_or_default(),
            sent: sent.map_or_else(SystemTime::now, |ms| UNIX_EPOCH + Duration::from_millis(ms)),
        })
    });
    Ok(QueueEvent { messages: messages.collect::<Result<_, lambda_runtime::Error>>()?, deadline })
}

fn failure(id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = id;
    failure
}

/// A 405 names the methods that the path knows (RFC 9110 section 15.5.6); axum counts HEAD among them.
fn without_head(mut response: Response) -> Response {
    let allowed = response.headers().get(http::header::ALLOW).and_then(|value| value.to_str().ok());
    let methods = allowed.map(|text| text.split(',').filter(|method| *method != "HEAD").collect::<Vec<_>>().join(","));
    if let Some(Ok(value)) = methods.map(|methods| methods.parse()) {
        response.headers_mut().insert(http::header::ALLOW, value);
    }
    response
}

/// Turns a problem into its document, now that path and request id are known.
fn finish(mut response: Response, path: &str, request_id: &str) -> Response {
    let mut response = match response.extensions_mut().remove::<UnfinishedProblem>() {
        Some(problem) => {
            let allow = response.headers_mut().remove(http::header::ALLOW);
            let mut document = problem.into_response(path, request_id);
            document.headers_mut().extend(allow.map(|value| (http::header::ALLOW, value)));
            document
        }
        None => response,
    };
    if let Ok(value) = request_id.parse() {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}
