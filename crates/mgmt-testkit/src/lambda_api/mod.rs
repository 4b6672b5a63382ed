//! A strict fake of the Lambda API (REST, JSON) with functions whose behaviour a test programs.
//!
//! Like Lambda it gives each instance one event at a time and starts a new, cold instance for an invoke that finds all of
//! them busy, so its own count of instances is the truth that a warmer's report is held against.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use mgmt_testkit::lambda_api::{Answer, FakeFunction, LambdaFake};
//! use std::time::Duration;
//!
//! let fake = LambdaFake::start().await?;
//! fake.add(FakeFunction::new("orders").taking(Duration::from_millis(50)));
//! fake.answer_next("orders", 1, Answer::Throttled("ConcurrentInvocationLimitExceeded"));
//! // ... point an SDK client at `fake.url()` and run the code under test ...
//! assert_eq!(fake.counters("orders").instances, 10);
//! # Ok(()) }
//! ```

mod answers;
mod function;
mod invoke;
mod reads;
mod request;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

pub use answers::Answer;
use function::Running;
pub use function::{Counters, FakeFunction};
use state::{State, lock};

use crate::droppable_server::DroppableServer;

/// The running fake. Cheap to clone: clones share the functions, and the server stops with the last one.
#[derive(Debug, Clone)]
pub struct LambdaFake {
    state: Arc<Mutex<State>>,
    server: Arc<DroppableServer>,
}

impl LambdaFake {
    /// An account without functions and with the default concurrency of 1,000.
    ///
    /// # Errors
    /// No loopback port could be opened.
    pub async fn start() -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            functions: BTreeMap::new(),
            violations: Vec::new(),
            denied: BTreeSet::new(),
            throttled: BTreeSet::new(),
            reads: 0,
            max_reads: 0,
            read_time: Duration::ZERO,
            calls: BTreeMap::new(),
            total_concurrency: 1000,
            unreserved_concurrency: 1000,
            max_concurrency: 0,
            next_instance: 1,
        }));
        let server = DroppableServer::start(router(Arc::clone(&state))).await?;
        Ok(Self { state, server: Arc::new(server) })
    }

    /// The same fake as routes, for a server that speaks for several services, as a local platform's endpoint does.
    pub fn router(&self) -> Router {
        router(Arc::clone(&self.state))
    }

    /// The endpoint for an SDK client.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Deploys a function; one of the same name is replaced, its instances and counters with it.
    pub fn add(&self, function: FakeFunction) {
        lock(&self.state).functions.insert(function.name.clone(), Running::new(function));
    }

    /// Deploys other code: the instances end, the counters go on.
    ///
    /// # Panics
    /// There is no such function.
    pub fn redeploy(&self, function: FakeFunction) {
        let mut state = lock(&self.state);
        let running = state.functions.get_mut(&function.name).expect("the function was added");
        running.instances.clear();
        running.function = function;
    }

    /// Answers the next `times` invokes of the function this way, before its usual answer; later calls queue up behind.
    ///
    /// # Panics
    /// There is no such function.
    pub fn answer_next(&self, function: &str, times: usize, answer: Answer) {
        let mut state = lock(&self.state);
        let running = state.functions.get_mut(function).expect("the function was added");
        running.script.extend(std::iter::repeat_n(answer, times));
    }

    /// Ends every instance of the function, as Lambda does after some idle minutes: the next invokes are cold.
    pub fn end_instances(&self, function: &str) {
        if let Some(running) = lock(&self.state).functions.get_mut(function) {
            running.instances.clear();
        }
    }

    /// Answers this IAM action, for example `lambda:ListFunctions`, with `AccessDeniedException` from now on.
    pub fn deny(&self, action: &str) {
        lock(&self.state).denied.insert(action.to_owned());
    }

    /// Answers this IAM action, if it is a read, with `TooManyRequestsException` until [`Self::restore`].
    pub fn throttle(&self, action: &str) {
        lock(&self.state).throttled.insert(action.to_owned());
    }

    /// Ends what [`Self::deny`] and [`Self::throttle`] have begun.
    pub fn restore(&self, action: &str) {
        let mut state = lock(&self.state);
        state.denied.remove(action);
        state.throttled.remove(action);
    }

    /// What `GetAccountSettings` answers.
    pub fn set_account_concurrency(&self, total: u32, unreserved: u32) {
        let mut state = lock(&self.state);
        state.total_concurrency = total;
        state.unreserved_concurrency = unreserved;
    }

    /// What happened to the function so far; all zero for one that was not added.
    pub fn counters(&self, function: &str) -> Counters {
        lock(&self.state).functions.get(function).map(|running| running.counters.clone()).unwrap_or_default()
    }

    /// How many requests for this IAM action arrived, for example `lambda:InvokeFunction`.
    pub fn count(&self, action: &str) -> usize {
        lock(&self.state).calls.get(action).copied().unwrap_or(0)
    }

    /// Makes each read, which is everything but an invoke, take this long.
    pub fn set_read_time(&self, time: Duration) {
        lock(&self.state).read_time = time;
    }

    /// The most reads that were under way at one moment.
    pub fn max_reads(&self) -> usize {
        lock(&self.state).max_reads
    }

    /// The most invokes of all functions together that ran at one moment.
    pub fn max_concurrency(&self) -> usize {
        lock(&self.state).max_concurrency
    }

    /// What a real SDK client would never send: unsigned requests, unknown routes or parameters. A test should find it empty.
    pub fn violations(&self) -> Vec<String> {
        lock(&self.state).violations.clone()
    }
}

fn router(state: Arc<Mutex<State>>) -> Router {
    Router::new()
        .route("/2015-03-31/functions", get(reads::list_functions))
        .route("/2015-03-31/functions/", get(reads::list_functions))
        .route("/2015-03-31/functions/{name}/configuration", get(reads::get_configuration))
        .route("/2019-09-30/functions/{name}/concurrency", get(reads::get_concurrency))
        .route("/2016-08-19/account-settings", get(reads::get_account_settings))
        .route("/2016-08-19/account-settings/", get(reads::get_account_settings))
        .layer(from_fn_with_state(Arc::clone(&state), request::count_read))
        .route("/2015-03-31/functions/{name}/invocations", post(invoke::invoke))
        .fallback(request::unknown_route)
        .with_state(state)
}
