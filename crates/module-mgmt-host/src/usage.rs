//! Records the use of a module: how long a request took, how it ended, and with which error code.
//!
//! The record is sent before the response is returned, because a sandbox may be frozen right after. It never fails a request: what
//! cannot be sent within 150 ms is counted ([`UsageRecorder::unsent`]) and logged, and the request goes on. While the other end hangs,
//! one request waits for it and the others do not.
//!
//! Records go to the usage queue, with the host's own SQS client, or anywhere else that implements [`UsageSink`]:
//!
//! ```no_run
//! use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
//! use module_mgmt_host::usage::{QueueSink, UsageLayer, UsageRecorder};
//! use module_mgmt_host::warm::{Instance, WarmLayer};
//! use tower::Layer as _;
//!
//! # async fn example(sqs: aws_sdk_sqs::Client, queue_url: String) -> Result<(), Error> {
//! let instance = Instance::start();
//! let sink = QueueSink::new(move |body| {
//!     let sending = sqs.send_message().queue_url(&queue_url).message_body(body).send();
//!     async move { sending.await.map(drop) }
//! });
//! let recorder = UsageRecorder::for_module("module-orders", sink);
//! let handler = service_fn(async |event: LambdaEvent<serde_json::Value>| Ok::<_, Error>(event.payload));
//! let recorded = UsageLayer::new(recorder).layer(handler);
//! Runtime::new(WarmLayer::new(instance).layer(recorded)).run().await
//! # }
//! ```

mod layer;
mod queue_sink;
mod recorder;
mod sink;
mod span;

pub use layer::UsageLayer;
pub use queue_sink::QueueSink;
pub use recorder::{DEFAULT_PATIENCE, UsageRecorder};
pub use sink::UsageSink;
pub use span::{UsageSpan, UseOutcome};

#[cfg(test)]
mod tests;
