//! Desired against actual EventBridge rules: what would have to change, and what must not be touched. Pure, no I/O.
//!
//! The bus is shared with everybody in the account, so the absences matter most: nothing here proposes to change a rule
//! whose name and tag do not both say that it is ours, and nothing is deleted because the desired state is empty.

mod drift;
mod model;
mod plan;
mod planner;

pub use drift::Drift;
pub use model::{ActualRule, ActualTarget, Adoption, Desired, DesiredRule, DesiredTarget, OldTarget, RuleState};
pub use plan::{Action, ActionName, Plan, PlannedRule};
pub use planner::{PlanError, plan};

use crate::schedule::name::Namespace;

/// The key of the tag that, together with the name, makes a rule ours. Its value is [`owner`].
pub const OWNER_TAG: &str = "module-mgmt:owner";

/// The most rules one schedule may need. Each costs up to two writes to create and two to delete, at five writes a second,
/// and API Gateway gives the whole request 30 seconds.
pub const MAX_RULES: usize = 20;

/// EventBridge drops a ping that it could not deliver for this long; 60 is the least it allows (`RetryPolicy`).
pub const TARGET_MAX_AGE_SECONDS: i32 = 60;

/// A late ping is worthless, so EventBridge does not retry.
pub const TARGET_MAX_RETRIES: i32 = 0;

/// Targets that EventBridge allows per rule ("EventBridge quotas").
pub const MAX_TARGETS: usize = 5;

/// The owner tag's value: `{project}.{env}`.
pub fn owner(namespace: &Namespace) -> String {
    format!("{}.{}", namespace.project(), namespace.env())
}
