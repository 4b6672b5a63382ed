//! One attempt, what must come of it, and the names that it uses.

use super::super::tasks::Task;

/// What must come of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Refused,
    /// Allowed, and without effect.
    NoRow,
    Sees(String),
}

/// One attempt of somebody.
#[derive(Debug)]
pub(super) struct Probe {
    /// `a member as module_mgmt_request`.
    pub(super) who: String,
    /// `reads public.platform_module_override`.
    pub(super) does: String,
    pub(super) task: Task,
    pub(super) expected: Outcome,
}

/// Names that no platform has.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) mark: String,
    pub(super) module_on: String,
    pub(super) module_off: String,
    pub(super) own_org: String,
    pub(super) other_org: String,
}

impl Names {
    pub(super) fn new() -> Self {
        let mark = format!("doctor-{:x}", jiff::Timestamp::now().as_nanosecond());
        Self {
            module_on: format!("module-{mark}-on"),
            module_off: format!("module-{mark}-off"),
            own_org: format!("{mark}-own"),
            other_org: format!("{mark}-other"),
            mark,
        }
    }
}
