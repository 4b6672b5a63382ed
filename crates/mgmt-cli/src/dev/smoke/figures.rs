//! The figures of a smoke run, one object per area.

use serde::Serialize;

/// The figures of the newest finished run.
#[derive(Debug, Default, Serialize)]
pub(super) struct Warming {
    /// Enabled rules of the schedule, counted on the bus.
    pub(super) rules: usize,
    /// Finished runs.
    pub(super) ticks: usize,
    pub(super) asked: u64,
    pub(super) reached: u64,
    /// Distinct instances that answered.
    pub(super) unique: Option<u64>,
    pub(super) cold: u64,
}

/// What followed the modules.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Registry {
    /// Modules that one call enabled.
    pub(super) modules: usize,
    /// Entries of these modules in the menu while they are on.
    pub(super) menu_member: usize,
    pub(super) menu_admin: usize,
    /// The same while they are off.
    pub(super) menu_member_off: usize,
    pub(super) menu_admin_off: usize,
    /// Whether each gate let a member through while its module was on.
    pub(super) passed_rust: bool,
    pub(super) passed_python: bool,
    /// Whether each gate answered 503 after it was off, and how many seconds after.
    pub(super) blocked_rust: bool,
    pub(super) blocked_python: bool,
    pub(super) blocked_rust_seconds: Option<u64>,
    pub(super) blocked_python_seconds: Option<u64>,
    /// Functions that are warmed for the modules only: in a tick while they were on, and in one while they were off.
    pub(super) pinged_before: usize,
    pub(super) pinged_after: usize,
    /// Whether both gates let members through again.
    pub(super) reopened: bool,
}

/// What became of the uses.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Usage {
    /// Events over HTTP and SQS together.
    pub(super) sent: usize,
    pub(super) distinct: usize,
    /// As the statistics have it.
    pub(super) counted: Option<u64>,
    /// As the answers and the queue's function have it.
    pub(super) duplicates: u64,
    pub(super) rejected: u64,
    /// Different users, as the statistics have it.
    pub(super) users: Option<u64>,
    /// Requests that the Python sample counted by itself.
    pub(super) by_host: Option<u64>,
    /// From the first event sent to the last one counted.
    pub(super) seconds: u64,
}
