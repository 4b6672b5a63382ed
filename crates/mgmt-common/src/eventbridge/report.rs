//! What came of a reconcile: the part of the answer that a person reads.

use serde::Serialize;

use super::calls::Calls;
use crate::aws::AwsError;
use crate::rules::{OldTarget, PlanError};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct SyncReport {
    pub status: SyncStatus,
    /// Why it is not synced, one sentence each; empty when it is.
    pub reasons: Vec<String>,
    /// One entry per rule that is wanted or was found under our prefixes, in the order of the plan.
    pub rules: Vec<RuleResult>,
    /// Calls that change something, each attempt counted.
    pub writes: u32,
    /// Calls that only read, each attempt counted.
    pub reads: u32,
    /// The targets of the old system's rules that this run removed.
    pub adopted: Vec<OldTarget>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub enum SyncStatus {
    /// Every wanted rule was seen as wanted, and nothing of ours is left over.
    Synced,
    /// Something failed or is not confirmed; the next run goes on.
    Pending,
    /// A guard stopped something on purpose, and no later run will do it: a person must look.
    Refused,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct RuleResult {
    pub name: String,
    /// The name of the planned action: `create`, `update`, `unchanged`, `disable`, `delete`, `kept`, `foreign`, `conflict`
    /// or `old`.
    pub action: &'static str,
    pub outcome: Outcome,
    /// Why it failed, waits or was left alone.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub enum Outcome {
    Done,
    Failed,
    /// Not begun, because something else has to succeed first.
    Waiting,
    /// Not ours to touch, or nobody asked for it.
    LeftAlone,
}

impl SyncReport {
    /// The bus could not be read, so nothing was changed.
    pub(super) fn unobserved(error: &AwsError, calls: &Calls<'_>) -> Self {
        Self::stopped(SyncStatus::Pending, error.to_string(), calls)
    }

    /// The desired state breaks its own rules, so nothing was changed.
    pub(super) fn refused(error: &PlanError, calls: &Calls<'_>) -> Self {
        Self::stopped(SyncStatus::Refused, error.to_string(), calls)
    }

    /// Sums up the rules: anything failed or waiting makes it pending, an alarm makes it refused.
    pub(super) fn of_rules(
        rules: Vec<RuleResult>,
        alarms: &[String],
        adopted: Vec<OldTarget>,
        calls: &Calls<'_>,
    ) -> Self {
        let mut reasons = alarms.to_vec();
        let open = rules.iter().filter(|rule| matches!(rule.outcome, Outcome::Failed | Outcome::Waiting));
        for rule in open {
            let reason = rule.reason.as_deref().unwrap_or("it is not confirmed");
            reasons.push(format!("{} {}: {reason}", rule.action, rule.name));
        }
        let status = match (alarms.is_empty(), reasons.is_empty()) {
            (false, _) => SyncStatus::Refused,
            (true, false) => SyncStatus::Pending,
            (true, true) => SyncStatus::Synced,
        };
        Self { status, reasons, rules, writes: calls.writes, reads: calls.reads, adopted }
    }

    fn stopped(status: SyncStatus, reason: String, calls: &Calls<'_>) -> Self {
        Self {
            status,
            reasons: vec![reason],
            rules: Vec::new(),
            writes: calls.writes,
            reads: calls.reads,
            adopted: Vec::new(),
        }
    }
}
