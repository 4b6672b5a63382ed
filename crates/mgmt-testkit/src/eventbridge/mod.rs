//! A strict fake of the EventBridge API (AWS JSON 1.1 over HTTP) that enforces AWS's rules, plays scripted faults and keeps
//! a record of every call and of every state its bus went through.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use mgmt_testkit::eventbridge::{EventBridgeFake, Fault};
//!
//! let fake = EventBridgeFake::start().await?;
//! fake.fail_action("PutTargets", 2, Fault::FailedEntry);
//! // ... point an SDK client at `fake.url()` and run the code under test ...
//! assert_eq!(fake.count("PutRule"), 3);
//! assert!(fake.violations().is_empty());
//! # Ok(()) }
//! ```

mod actions;
mod bus;
mod expression;
mod faults;
mod handler;
mod limits;
mod record;
mod tags;
mod targets;
#[cfg(test)]
mod tests;
mod wire;

use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::any;

pub use bus::{Bus, Rule, Target};
pub use expression::check_schedule_expression;
pub use faults::Fault;
use faults::Script;
pub use record::{Call, Moment};
use record::{State, is_write, lock};

use crate::droppable_server::DroppableServer;

/// The running fake. Cheap to clone: clones share the bus, and the server stops with the last one. The last one also fails the test
/// that scripted a fault which no call met: such a test proves nothing about that fault.
#[derive(Debug, Clone)]
pub struct EventBridgeFake {
    state: Arc<Mutex<State>>,
    server: Arc<DroppableServer>,
    _end: Arc<EndOfScript>,
}

#[derive(Debug)]
struct EndOfScript(Arc<Mutex<State>>);

impl Drop for EndOfScript {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_all_played(&self.0);
        }
    }
}

#[track_caller]
fn assert_all_played(state: &Mutex<State>) {
    let unplayed = lock(state).script.unplayed();
    assert!(unplayed.is_empty(), "scripted faults were never played: {unplayed:?}");
}

impl EventBridgeFake {
    /// An empty default bus in `eu-central-1` of account `123456789012`.
    ///
    /// # Errors
    /// No loopback port could be opened.
    pub async fn start() -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let server = DroppableServer::start(router(Arc::clone(&state))).await?;
        let end = Arc::new(EndOfScript(Arc::clone(&state)));
        Ok(Self { state, server: Arc::new(server), _end: end })
    }

    /// The same fake as routes, for a server that speaks for several services, as a local platform's endpoint does.
    pub fn router(&self) -> Router {
        router(Arc::clone(&self.state))
    }

    /// The endpoint for an SDK client.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Plays the fault at the n-th call from now on, whatever its action; 1 is the next call.
    pub fn fail_call(&self, nth: usize, fault: Fault) {
        lock(&self.state).script.at(None, nth, fault);
    }

    /// Plays the fault at the n-th call of this action from now on; 1 is the next one.
    pub fn fail_action(&self, action: &str, nth: usize, fault: Fault) {
        lock(&self.state).script.at(Some(action), nth, fault);
    }

    /// Plays the fault at every call of this action until [`EventBridgeFake::heal`].
    pub fn fail_always(&self, action: &str, fault: Fault) {
        lock(&self.state).script.always(action, fault);
    }

    /// Forgets every scripted fault.
    ///
    /// # Panics
    /// One of them was never played.
    #[track_caller]
    pub fn heal(&self) {
        assert_all_played(&self.state);
        lock(&self.state).script = Script::default();
    }

    /// The bus as it is.
    pub fn bus(&self) -> Bus {
        lock(&self.state).bus.clone()
    }

    /// Changes the bus behind the API's back: what a person does in the AWS console. It begins a new timeline.
    pub fn edit(&self, change: impl FnOnce(&mut Bus)) {
        let mut state = lock(&self.state);
        change(&mut state.bus);
        let moment = Moment { call: 0, bus: state.bus.clone() };
        state.timeline = vec![moment];
    }

    /// Every call since the start or the last [`EventBridgeFake::forget_calls`].
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.state).calls.clone()
    }

    /// How many calls were received since the start or the last [`EventBridgeFake::forget_calls`].
    pub fn call_count(&self) -> usize {
        lock(&self.state).calls.len()
    }

    /// How many calls of this action were received.
    pub fn count(&self, action: &str) -> usize {
        lock(&self.state).calls.iter().filter(|call| call.action == action).count()
    }

    /// How many calls that can change something were received.
    pub fn writes(&self) -> usize {
        lock(&self.state).calls.iter().filter(|call| is_write(&call.action)).count()
    }

    /// Forgets calls and timeline, so that a test counts from here; the bus and the script stay.
    pub fn forget_calls(&self) {
        let mut state = lock(&self.state);
        state.calls.clear();
        let moment = Moment { call: 0, bus: state.bus.clone() };
        state.timeline = vec![moment];
    }

    /// The states of the bus, oldest first: the one at the last `edit` or `forget_calls`, then one after each write.
    pub fn timeline(&self) -> Vec<Moment> {
        lock(&self.state).timeline.clone()
    }

    /// What a real SDK client would never send: unsigned requests, unknown fields or actions. A test should find it empty.
    pub fn violations(&self) -> Vec<String> {
        lock(&self.state).violations.clone()
    }
}

fn router(state: Arc<Mutex<State>>) -> Router {
    Router::new().route("/", any(handler::handle)).with_state(state)
}
