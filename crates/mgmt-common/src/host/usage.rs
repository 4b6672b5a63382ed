//! Records the use of a module: how long a request took, how it ended, and with which error code.
//!
//! The record is sent before the response is returned, because a sandbox may be frozen right after. It never fails a request: what
//! cannot be sent in time is counted ([`UsageRecorder::unsent`]) and logged, and the request goes on.
//!
//! ```no_run
//! use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
//! use mgmt_common::host::usage::{UsageLayer, UsageRecorder, UsageSink};
//! use mgmt_common::host::warm::{Instance, WarmLayer};
//! use tower::Layer as _;
//!
//! # async fn example(queue: impl UsageSink + 'static) -> Result<(), Error> {
//! let instance = Instance::start();
//! // With the feature `usage-queue`: mgmt_common::host::usage::QueueSink::new(aws, queue_url).
//! let recorder = UsageRecorder::for_module("module-orders", queue);
//! let handler = service_fn(async |event: LambdaEvent<serde_json::Value>| Ok::<_, Error>(event.payload));
//! let recorded = UsageLayer::new(recorder).layer(handler);
//! Runtime::new(WarmLayer::new(instance).layer(recorded)).run().await
//! # }
//! ```

mod layer;
#[cfg(feature = "usage-queue")]
mod queue;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::caller::ClaimNames;
pub use layer::UsageLayer;
#[cfg(feature = "usage-queue")]
pub use queue::QueueSink;

/// How long a response waits for its record to be sent.
pub const DEFAULT_PATIENCE: Duration = Duration::from_millis(500);
/// A longer use is recorded as this long; the control plane takes no more.
const LONGEST: Duration = Duration::from_hours(24);

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where records go. The recorder limits the time.
pub trait UsageSink: Send + Sync {
    /// # Errors
    /// Why it was not taken, for the log.
    fn send<'a>(&'a self, message: &'a UsageMessage) -> BoxFuture<'a, Result<(), String>>;
}

/// A message of the usage queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageMessage {
    pub org_id: String,
    pub user_id: String,
    pub event: UsageRecord,
}

/// One use, as the control plane reads it. The id is made when the use begins, so that a message that is sent twice counts once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageRecord {
    pub id: String,
    pub module_name: String,
    pub event_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    pub duration_ms: u64,
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
}

/// A use that has begun.
#[derive(Debug)]
pub struct Use {
    id: uuid::Uuid,
    started: Instant,
    event_type: &'static str,
    /// What was done, in words of the module.
    pub event_action: Option<String>,
    /// The route, without the ids in it.
    pub endpoint: Option<String>,
    pub http_method: Option<String>,
}

impl Use {
    /// Call it when the use begins. `event_type` is one of `api_call`, `page_view`, `feature_use`, `error`, `export`, `import`.
    pub fn begin(event_type: &'static str) -> Self {
        let (id, started) = (uuid::Uuid::now_v7(), Instant::now());
        Self { id, started, event_type, event_action: None, endpoint: None, http_method: None }
    }
}

/// How a use ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    Well,
    HalfWell,
    /// With a code that programs can read. Words may hold what users wrote, so they are not recorded.
    Badly(String),
}

/// Records the uses of one module. Clones share their counter.
#[derive(Clone)]
pub struct UsageRecorder {
    shared: Arc<Shared>,
}

struct Shared {
    module: String,
    patience: Duration,
    claim_names: ClaimNames,
    unsent: AtomicU64,
    sink: Box<dyn UsageSink>,
}

impl fmt::Debug for UsageRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsageRecorder")
            .field("module", &self.shared.module)
            .field("unsent", &self.unsent())
            .finish_non_exhaustive()
    }
}

impl UsageRecorder {
    pub fn for_module(module: impl Into<String>, sink: impl UsageSink + 'static) -> Self {
        Self::with(module, sink, DEFAULT_PATIENCE, ClaimNames::default())
    }

    /// With another patience, and with the names that the identity provider has for its claims.
    pub fn with(
        module: impl Into<String>,
        sink: impl UsageSink + 'static,
        patience: Duration,
        claim_names: ClaimNames,
    ) -> Self {
        let (module, unsent, sink) = (module.into(), AtomicU64::new(0), Box::new(sink));
        Self { shared: Arc::new(Shared { module, patience, claim_names, unsent, sink }) }
    }

    /// Records a use that has ended, before the response is returned. Returns when it is sent or given up; never fails.
    pub async fn record(&self, org_id: &str, user_id: &str, used: Use, ended: Ended) {
        let (status, error_code) = match ended {
            Ended::Well => ("success", None),
            Ended::HalfWell => ("partial", None),
            Ended::Badly(code) => ("failure", Some(code.chars().take(200).collect())),
        };
        let duration = used.started.elapsed().min(LONGEST);
        let message = UsageMessage {
            org_id: org_id.to_owned(),
            user_id: user_id.to_owned(),
            event: UsageRecord {
                id: used.id.to_string(),
                module_name: self.shared.module.clone(),
                event_type: used.event_type,
                event_action: used.event_action.map(|text| text.chars().take(200).collect()),
                endpoint: used.endpoint.map(|text| text.chars().take(2_000).collect()),
                http_method: used.http_method.map(|text| text.chars().take(20).collect()),
                duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
                status,
                error_code,
            },
        };
        let sent = tokio::time::timeout(self.shared.patience, self.shared.sink.send(&message)).await;
        let failed = match sent {
            Ok(Ok(())) => return,
            Ok(Err(cause)) => cause,
            Err(_) => "it took too long".to_owned(),
        };
        let unsent = self.shared.unsent.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::warn!(module = self.shared.module, cause = failed, unsent, "a use was not recorded");
    }

    /// How many uses this sandbox could not send.
    pub fn unsent(&self) -> u64 {
        self.shared.unsent.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
#[path = "usage/tests.rs"]
mod tests;
