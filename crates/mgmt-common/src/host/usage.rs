//! Records the use of a module: how long a request took, how it ended, and with which error code.
//!
//! The record is sent before the response is returned, because a sandbox may be frozen right after. It never fails a request: what
//! cannot be sent in time is counted ([`UsageRecorder::unsent`]) and logged, and the request goes on.
//!
//! Records go to the usage queue, or straight to Postgres where the host can reach it:
//!
//! ```no_run
//! # #[cfg(all(feature = "usage-queue", feature = "db", feature = "usage"))]
//! # mod example {
//! use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
//! use mgmt_common::aws::AwsSettings;
//! use mgmt_common::host::usage::{PostgresSink, QueueSink, UsageLayer, UsageRecorder};
//! use mgmt_common::host::warm::{Instance, WarmLayer};
//! use mgmt_common::settings::DatabaseSettings;
//! use tower::Layer as _;
//!
//! /// With the feature `usage-queue`. The host may send to the queue, and needs nothing else.
//! fn over_the_queue(aws: AwsSettings, queue_url: &str) -> UsageRecorder {
//!     UsageRecorder::for_module("module-orders", QueueSink::new(aws, queue_url))
//! }
//!
//! /// With the features `db` and `usage`. The host has the request login, and is trusted like the control plane.
//! fn straight_to_postgres(database: DatabaseSettings) -> UsageRecorder {
//!     UsageRecorder::for_module("module-orders", PostgresSink::new(database))
//! }
//!
//! async fn run(recorder: UsageRecorder) -> Result<(), Error> {
//!     let instance = Instance::start();
//!     let handler = service_fn(async |event: LambdaEvent<serde_json::Value>| Ok::<_, Error>(event.payload));
//!     let recorded = UsageLayer::new(recorder).layer(handler);
//!     Runtime::new(WarmLayer::new(instance).layer(recorded)).run().await
//! }
//! # }
//! ```

mod layer;
mod message;
#[cfg(all(feature = "db", feature = "usage"))]
mod postgres_sink;
#[cfg(feature = "usage-queue")]
mod queue_sink;
mod recorder;
mod sink;
mod used;

pub use layer::UsageLayer;
pub use message::{UsageMessage, UsageRecord};
#[cfg(all(feature = "db", feature = "usage"))]
pub use postgres_sink::PostgresSink;
#[cfg(feature = "usage-queue")]
pub use queue_sink::QueueSink;
pub use recorder::{DEFAULT_PATIENCE, UsageRecorder};
pub use sink::{BoxFuture, UsageSink};
pub use used::{Ended, Use};

#[cfg(test)]
mod tests;
