//! The gate as a tower layer around a handler of HTTP events.

use lambda_runtime::Error;
use module_mgmt_protocol::api_gateway::HttpAnswer;
use serde::Serialize;

use super::{Admission, Gate};
use crate::middleware::{Middleware, MiddlewareLayer, RawEvent};

/// Puts the gate before a handler of `LambdaEvent<P>`. It belongs inside [`crate::warm::WarmLayer`], as pings have no caller.
pub type GateLayer<P> = MiddlewareLayer<Gate, P>;

impl<P> GateLayer<P> {
    pub fn new(gate: Gate) -> Self {
        Self::of(gate)
    }
}

/// Either the gate's answer or the handler's own.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Gated<R> {
    Refused(HttpAnswer),
    Handler(R),
}

impl<R> Middleware<R> for Gate {
    type Answer = Gated<R>;

    async fn handle<H, F>(self, event: RawEvent, handler: H) -> Result<Gated<R>, Error>
    where
        H: FnOnce(RawEvent) -> F + Send + 'static,
        F: Future<Output = Result<R, Error>> + Send + 'static,
    {
        match self.admit(event.payload.get(), &event.context.request_id).await? {
            Admission::Refused(answer) => Ok(Gated::Refused(answer)),
            Admission::Granted(_) => handler(event).await.map(Gated::Handler),
        }
    }
}
