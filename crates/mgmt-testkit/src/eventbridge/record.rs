//! The bus with a record of every call and of every state that it went through.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;

use super::bus::Bus;
use super::faults::Script;

/// One call as the fake received it, in order of arrival.
#[derive(Debug, Clone)]
pub struct Call {
    /// The part of `X-Amz-Target` after `AWSEvents.`.
    pub action: String,
    /// The request body.
    pub body: Value,
    pub at: Instant,
    /// The error code that the fake answered or the fault it played; `None` for success.
    pub answer: Option<String>,
}

/// The bus as it was right after one write.
#[derive(Debug, Clone)]
pub struct Moment {
    /// How many calls had arrived, the one that wrote included; 0 for the state given by the test.
    pub call: usize,
    pub bus: Bus,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) bus: Bus,
    pub(crate) calls: Vec<Call>,
    pub(crate) timeline: Vec<Moment>,
    pub(crate) violations: Vec<String>,
    pub(crate) script: Script,
}

pub(crate) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // A test that panicked while it held the lock has already failed; the others may go on.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn is_write(action: &str) -> bool {
    !action.starts_with("List") && !action.starts_with("Describe")
}
