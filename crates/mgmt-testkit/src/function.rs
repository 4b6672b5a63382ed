//! A Rust function in the test's own process, driven as the Lambda runtime drives it: an event as JSON in, an answer as JSON out.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::Context;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::database::TestDatabase;
use crate::gateway::{Answer, Request};

/// What a function has left of an invocation: API Gateway waits 30 seconds.
const TIME_LEFT: Duration = Duration::from_secs(29);

type Handling = Pin<Box<dyn Future<Output = Result<Box<RawValue>, String>> + Send>>;

/// The function. Clones are the same sandbox.
#[derive(Clone)]
pub struct FunctionUnderTest(Arc<dyn Fn(Box<RawValue>, Context) -> Handling + Send + Sync>);

impl FunctionUnderTest {
    /// `handle` is what the function gives to `lambda_runtime`.
    pub fn new<H, F, E>(handle: H) -> Self
    where
        H: Fn(Box<RawValue>, Context) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Box<RawValue>, E>> + Send + 'static,
        E: ToString,
    {
        Self(Arc::new(move |event, context| {
            let handling = handle(event, context);
            Box::pin(async move { handling.await.map_err(|error| error.to_string()) })
        }))
    }

    /// Hands it one event.
    ///
    /// # Errors
    /// What the function tells the runtime.
    pub async fn handle(&self, event: &Value) -> Result<Value, String> {
        let answer = (self.0)(to_raw_value(event).unwrap(), context()).await?;
        Ok(serde_json::from_str(answer.get()).unwrap())
    }

    /// Hands it one HTTP request; the answer has the form that all answers have.
    pub async fn send(&self, request: &Request) -> Answer {
        let answer = (self.0)(to_raw_value(request.event()).unwrap(), context()).await.unwrap();
        Answer::read(request, answer.get())
    }
}

impl fmt::Debug for FunctionUnderTest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FunctionUnderTest").finish_non_exhaustive()
    }
}

fn context() -> Context {
    let mut context = Context::default();
    context.invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:under-test".to_owned();
    context.request_id = "request-1".into();
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + TIME_LEFT;
    context.deadline = deadline.as_millis().try_into().unwrap();
    context
}

/// What the tests of every function start from: the function, and a database of its own. A crate's own bed adds its fakes.
#[derive(Debug)]
pub struct FunctionBed {
    pub database: TestDatabase,
    pub function: FunctionUnderTest,
}

impl FunctionBed {
    pub async fn send(&self, request: &Request) -> Answer {
        self.function.send(request).await
    }
}

/// A bed arranges and looks as its database does.
impl Deref for FunctionBed {
    type Target = TestDatabase;

    fn deref(&self) -> &TestDatabase {
        &self.database
    }
}
