//! Answers a warm ping before the handler runs, and proves which instance answered.
//!
//! A ping is `{"source":"module-mgmt.warmer","ping":{"runId","invocation","of","holdMs"}}`. It is answered after the hold,
//! so that pings which start together land on different instances, with `{"instanceId","coldStart","initMs","ageMs"}`.
//!
//! ```no_run
//! use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
//! use module_mgmt_host::warm::{Instance, WarmLayer};
//! use tower::Layer as _;
//!
//! # async fn example() -> Result<(), Error> {
//! let instance = Instance::start(); // First of all, so that initMs holds the whole start.
//! let handler = service_fn(async |event: LambdaEvent<serde_json::Value>| Ok::<_, Error>(event.payload));
//! Runtime::new(WarmLayer::new(instance).layer(handler)).run().await
//! # }
//! ```

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lambda_runtime::Error;
use module_mgmt_protocol::ping::{MAX_HOLD, PING_SOURCE, Ping, PingAnswer, PingEvent};
use serde::Serialize;

use crate::BoxFuture;
use crate::middleware::{Middleware, MiddlewareLayer, RawEvent};

/// This sandbox.
#[derive(Debug)]
pub struct Instance {
    id: String,
    started: Instant,
    used: AtomicBool,
}

impl Instance {
    /// Call it first in `main`.
    pub fn start() -> Self {
        Self { id: uuid::Uuid::new_v4().to_string(), started: Instant::now(), used: AtomicBool::new(false) }
    }
}

/// Something to do while a ping is held, so that the first request after it need not wait for it.
pub trait OnPing: fmt::Debug + Send + Sync {
    /// Dropped when it takes longer than [`MAX_HOLD`].
    fn on_ping(&self) -> BoxFuture<'_, ()>;
}

/// Answers pings for one instance; what hosts without tower call themselves.
#[derive(Debug, Clone)]
pub struct Warm {
    instance: Arc<Instance>,
    init: Duration,
    on_ping: Option<Arc<dyn OnPing>>,
}

impl Warm {
    /// Call it last, when everything that a first event needs is ready.
    pub fn new(instance: Instance) -> Self {
        let init = instance.started.elapsed();
        Self { instance: Arc::new(instance), init, on_ping: None }
    }

    /// What every ping does besides, such as refreshing the snapshots of a gate.
    #[must_use]
    pub fn on_ping(self, task: impl OnPing + 'static) -> Self {
        Self { on_ping: Some(Arc::new(task)), ..self }
    }

    /// The answer to a ping, after its hold; `None` for every other event.
    pub async fn answer(&self, event: &str) -> Option<PingAnswer> {
        let cold_start = !self.instance.used.swap(true, Ordering::Relaxed);
        let ping = read_ping(event)?;
        let hold = tokio::time::sleep(Duration::from_millis(ping.hold_ms).min(MAX_HOLD));
        match &self.on_ping {
            None => hold.await,
            // A task that is cut off has done what it could; a ping is no error because of it.
            Some(task) => drop(tokio::join!(hold, tokio::time::timeout(MAX_HOLD, task.on_ping()))),
        }
        Some(PingAnswer {
            instance_id: self.instance.id.clone(),
            cold_start,
            init_ms: milliseconds(self.init),
            age_ms: milliseconds(self.instance.started.elapsed()),
        })
    }
}

/// Puts the warm answer before a handler of `LambdaEvent<P>`.
pub type WarmLayer<P> = MiddlewareLayer<Warm, P>;

impl<P> WarmLayer<P> {
    /// Call it last, as [`Warm::new`].
    pub fn new(instance: Instance) -> Self {
        Self::of(Warm::new(instance))
    }

    /// As [`Warm::on_ping`].
    #[must_use]
    pub fn on_ping(self, task: impl OnPing + 'static) -> Self {
        Self::of(self.step.on_ping(task))
    }
}

/// Either the warm answer or the handler's own.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer<R> {
    Warm(PingAnswer),
    Handler(R),
}

impl<R> Middleware<R> for Warm {
    type Answer = Answer<R>;

    async fn handle<H, F>(self, event: RawEvent, handler: H) -> Result<Answer<R>, Error>
    where
        H: FnOnce(RawEvent) -> F + Send + 'static,
        F: Future<Output = Result<R, Error>> + Send + 'static,
    {
        match self.answer(event.payload.get()).await {
            Some(answer) => Ok(Answer::Warm(answer)),
            None => handler(event).await.map(Answer::Handler),
        }
    }
}

/// Most events are no pings: a text search spares them the second parse.
fn read_ping(event: &str) -> Option<Ping> {
    if !event.contains(PING_SOURCE) {
        return None;
    }
    let event: PingEvent = serde_json::from_str(event).ok()?;
    event.is_of_the_warmer().then_some(event.ping)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use lambda_runtime::{LambdaEvent, service_fn};
    use serde_json::value::RawValue;
    use serde_json::{Value, json};
    use tower::{Layer as _, ServiceExt as _};

    use super::*;

    fn event(payload: &Value) -> LambdaEvent<Box<RawValue>> {
        LambdaEvent::new(serde_json::value::to_raw_value(payload).unwrap(), lambda_runtime::Context::default())
    }

    fn ping(hold_ms: u64) -> Value {
        json!({"source": PING_SOURCE, "ping": {"runId": "r", "invocation": 1, "of": 1, "holdMs": hold_ms}})
    }

    #[tokio::test]
    async fn a_ping_is_answered_and_every_other_event_reaches_the_handler() {
        let handler = service_fn(async |event: LambdaEvent<Value>| Ok::<_, Error>(json!({ "handled": event.payload })));
        let service = WarmLayer::new(Instance::start()).layer(handler);
        let answer = async |payload: &Value| {
            serde_json::to_value(service.clone().oneshot(event(payload)).await.unwrap()).unwrap()
        };
        let (first, second) = (answer(&ping(0)).await, answer(&ping(0)).await);
        assert_eq!((&first["coldStart"], &second["coldStart"]), (&json!(true), &json!(false)));
        assert_eq!(first["instanceId"], second["instanceId"]);

        for other in [
            json!({"source": "aws.events", "ping": {}}),
            json!({"source": PING_SOURCE}),
            json!({"body": PING_SOURCE}),
            json!({"detail": ping(0)}),
            json!("module-mgmt.warmer"),
        ] {
            assert_eq!(answer(&other).await, json!({ "handled": other }));
        }
    }

    #[tokio::test]
    async fn the_first_event_is_cold_whatever_it_is() {
        let layer = Warm::new(Instance::start());
        assert!(layer.answer("{}").await.is_none());
        assert!(!layer.answer(&ping(0).to_string()).await.unwrap().cold_start);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_is_kept_but_never_longer_than_two_seconds() {
        let layer = Warm::new(Instance::start());
        for (asked, kept) in [(700, 700), (3_600_000, 2_000)] {
            let before = tokio::time::Instant::now();
            layer.answer(&ping(asked).to_string()).await.unwrap();
            assert_eq!(before.elapsed().as_millis(), kept);
        }
    }
}
