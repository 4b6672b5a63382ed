use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use serde::{Serialize, Serializer};
use tower::Service;

use super::*;

/// Where the handler panics.
#[derive(Debug, Clone, Copy)]
enum Place {
    Call,
    Future,
    Answer,
}

#[derive(Clone)]
struct Panicking(Place);

/// An answer whose serialisation panics.
struct Answer;

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("in Answer")
    }
}

impl Service<LambdaEvent<Value>> for Panicking {
    type Response = Answer;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Answer, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: LambdaEvent<Value>) -> Self::Future {
        let place = self.0;
        assert!(!matches!(place, Place::Call), "in Call");
        Box::pin(async move {
            tokio::task::yield_now().await;
            assert!(!matches!(place, Place::Future), "in Future");
            Ok(Answer)
        })
    }
}

#[tokio::test]
async fn a_panic_is_recorded_as_a_failure_and_goes_on_as_it_came() {
    for place in [Place::Call, Place::Future, Place::Answer] {
        let memory = Memory::default();
        let layer = UsageLayer::new(UsageRecorder::for_module("module-orders", memory.clone()));
        let service = WarmLayer::new(Instance::start()).layer(layer.layer(Panicking(place)));
        let panic = AssertUnwindSafe(service.oneshot(event(&request()))).catch_unwind().await.unwrap_err();
        let words =
            panic.downcast_ref::<String>().map_or_else(|| *panic.downcast_ref::<&str>().unwrap(), String::as_str);
        assert_eq!(words, format!("in {place:?}"));
        let records = memory.0.lock().unwrap().clone();
        assert_eq!(records.len(), 1, "{place:?}");
        let record = &records[0]["event"];
        assert_eq!((&record["status"], &record["errorCode"]), (&json!("failure"), &json!("handler_panicked")));
        assert_eq!((&record["endpoint"], &records[0]["orgId"]), (&json!("/orders/{id}"), &json!("o")));
    }
}

#[tokio::test]
async fn a_panic_over_nobodys_use_goes_on_unrecorded() {
    let memory = Memory::default();
    let layer = UsageLayer::new(UsageRecorder::for_module("module-orders", memory.clone()));
    let handled = layer.layer(Panicking(Place::Future)).oneshot(event(&json!({"Records": []})));
    assert!(AssertUnwindSafe(handled).catch_unwind().await.is_err());
    assert!(memory.0.lock().unwrap().is_empty());
}
