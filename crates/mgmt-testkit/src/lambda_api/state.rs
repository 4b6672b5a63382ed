//! The account that the fake speaks for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::function::Running;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) functions: BTreeMap<String, Running>,
    pub(crate) violations: Vec<String>,
    /// IAM actions that are answered with `AccessDeniedException`.
    pub(crate) denied: BTreeSet<String>,
    /// IAM actions that are answered with `TooManyRequestsException`.
    pub(crate) throttled: BTreeSet<String>,
    /// Calls per IAM action.
    pub(crate) calls: BTreeMap<&'static str, usize>,
    /// Reads under way, the most at one moment, and how long each takes.
    pub(crate) reads: usize,
    pub(crate) max_reads: usize,
    pub(crate) read_time: Duration,
    pub(crate) total_concurrency: u32,
    pub(crate) unreserved_concurrency: u32,
    /// The most invokes of all functions that ran at one moment.
    pub(crate) max_concurrency: usize,
    /// Numbers the instances of all functions.
    pub(crate) next_instance: u32,
}

pub(crate) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // A test that panicked while it held the lock has already failed; the others may go on.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
