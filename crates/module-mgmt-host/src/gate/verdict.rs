//! What a gate says.

use module_mgmt_protocol::decision::{Decision, Reason};

/// Whether a request may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Open,
    Closed(ClosedReason),
}

/// Why it may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClosedReason {
    /// The module is off for the caller.
    Off(Reason),
    /// The state was not readable for too long, and the module is a functional one.
    StateUnknown,
}

impl Verdict {
    pub fn is_open(self) -> bool {
        self == Self::Open
    }
}

impl ClosedReason {
    /// As the answer spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off(reason) => reason.as_str(),
            Self::StateUnknown => "state_unknown",
        }
    }
}

impl From<Decision> for Verdict {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::On => Self::Open,
            Decision::Off(reason) => Self::Closed(ClosedReason::Off(reason)),
        }
    }
}
