//! What runs before and after a handler, as a tower layer: the warm answer, the gate and the usage record are built on it.

use std::marker::PhantomData;
use std::task::{Context, Poll};

use lambda_runtime::{Error, LambdaEvent};
use serde::Deserialize;
use serde_json::value::RawValue;
use tower::{Layer, Service};

use crate::BoxFuture;

/// An event as it came, so that each step reads of it what it needs.
pub type RawEvent = LambdaEvent<Box<RawValue>>;

/// What happens before and after a handler that answers `R`, or instead of it.
pub trait Middleware<R>: Clone + Send + 'static {
    type Answer;

    /// `handler` reads the event and handles it; a step that answers itself does not call it.
    fn handle<H, F>(self, event: RawEvent, handler: H) -> impl Future<Output = Result<Self::Answer, Error>> + Send
    where
        H: FnOnce(RawEvent) -> F + Send + 'static,
        F: Future<Output = Result<R, Error>> + Send + 'static;
}

/// Puts a step before a handler of `LambdaEvent<P>`.
#[derive(Debug, Clone)]
pub struct MiddlewareLayer<A, P> {
    pub(crate) step: A,
    payload: PhantomData<fn(P)>,
}

impl<A, P> MiddlewareLayer<A, P> {
    pub(crate) fn of(step: A) -> Self {
        Self { step, payload: PhantomData }
    }
}

impl<A: Clone, S, P> Layer<S> for MiddlewareLayer<A, P>
where
    S: Service<LambdaEvent<P>>,
{
    type Service = MiddlewareService<A, S, P>;

    fn layer(&self, handler: S) -> Self::Service {
        MiddlewareService { step: self.step.clone(), handler, payload: PhantomData }
    }
}

/// A handler behind [`MiddlewareLayer`].
#[derive(Debug, Clone)]
pub struct MiddlewareService<A, S, P> {
    step: A,
    handler: S,
    payload: PhantomData<fn(P)>,
}

impl<A, S, P> Service<RawEvent> for MiddlewareService<A, S, P>
where
    A: Middleware<S::Response>,
    S: Service<LambdaEvent<P>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Response: Send,
    S::Error: Into<Error>,
    P: for<'de> Deserialize<'de> + Send + 'static,
{
    type Response = A::Answer;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Self::Response, Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.handler.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, event: RawEvent) -> Self::Future {
        // The handler that was polled ready is the one to call; the clone waits for the next event.
        let next = self.handler.clone();
        let mut handler = std::mem::replace(&mut self.handler, next);
        Box::pin(self.step.clone().handle(event, move |event| async move {
            let payload = serde_json::from_str(event.payload.get())?;
            handler.call(LambdaEvent::new(payload, event.context)).await.map_err(Into::into)
        }))
    }
}
