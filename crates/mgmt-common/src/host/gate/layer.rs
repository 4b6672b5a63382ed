//! The gate as a tower layer around a handler of HTTP events.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use lambda_runtime::{Error, LambdaEvent};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tower::{Layer, Service};

use super::{Admission, Gate};
use crate::api_gateway::HttpAnswer;

/// Puts the gate before a handler of `LambdaEvent<P>`. It belongs inside [`crate::host::warm::WarmLayer`], as pings have no caller.
#[derive(Debug, Clone)]
pub struct GateLayer<P> {
    gate: Gate,
    payload: PhantomData<fn(P)>,
}

impl<P> GateLayer<P> {
    pub fn new(gate: Gate) -> Self {
        Self { gate, payload: PhantomData }
    }
}

impl<S, P> Layer<S> for GateLayer<P>
where
    S: Service<LambdaEvent<P>>,
{
    type Service = GateService<S, P>;

    fn layer(&self, handler: S) -> Self::Service {
        GateService { gate: self.gate.clone(), handler, payload: PhantomData }
    }
}

/// A handler behind [`GateLayer`].
#[derive(Debug, Clone)]
pub struct GateService<S, P> {
    gate: Gate,
    handler: S,
    payload: PhantomData<fn(P)>,
}

/// Either the gate's answer or the handler's own.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Gated<R> {
    Refused(HttpAnswer),
    Handler(R),
}

impl<S, P> Service<LambdaEvent<Box<RawValue>>> for GateService<S, P>
where
    S: Service<LambdaEvent<P>> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: Send,
    S::Error: Into<Error>,
    P: for<'de> Deserialize<'de> + Send,
{
    type Response = Gated<S::Response>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.handler.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, event: LambdaEvent<Box<RawValue>>) -> Self::Future {
        // The handler that was polled ready is the one to call; the clone waits for the next event.
        let next = self.handler.clone();
        let mut handler = std::mem::replace(&mut self.handler, next);
        let gate = self.gate.clone();
        Box::pin(async move {
            match gate.admit(event.payload.get(), &event.context.request_id).await? {
                Admission::Refused(answer) => Ok(Gated::Refused(answer)),
                Admission::Granted(_) => {
                    let payload = serde_json::from_str(event.payload.get())?;
                    let answer = handler.call(LambdaEvent::new(payload, event.context)).await;
                    answer.map(Gated::Handler).map_err(Into::into)
                }
            }
        })
    }
}
