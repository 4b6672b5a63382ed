//! What should be on the bus, and what is.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::schedule::name::Namespace;

/// Everything that one reconcile works towards.
#[derive(Debug, Clone)]
pub struct Desired {
    pub namespace: Namespace,
    /// At most [`super::MAX_RULES`]. Empty (an empty week) disables all our rules and deletes none.
    pub rules: Vec<DesiredRule>,
    /// The version of the config row that `rules` were compiled from.
    pub config_version: i64,
    /// The config version of the last completed sync; `None` before the first.
    pub applied_version: Option<i64>,
    pub adoption: Adoption,
}

/// What happens to the old system's rules. Only ever more than nothing on request of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adoption {
    /// They stay.
    None,
    /// All of them would go: for a plan that is shown.
    All,
    /// Those go of which every target is among these, because its input has been stored: the list may be out of date, and a
    /// rule that nobody read yet would take its payload with it.
    Stored(Vec<OldTarget>),
}

impl Adoption {
    /// Whether an old rule with these targets may go.
    pub(super) fn covers(&self, targets: &[OldTarget]) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Stored(stored) => targets.iter().all(|target| stored.contains(target)),
        }
    }
}

/// A target of an old rule. Its input is the payload that its function was pinged with, which an adopting caller keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct OldTarget {
    /// The old rule's name.
    pub rule: String,
    pub arn: String,
    pub input: Option<String>,
}

/// One rule as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct DesiredRule {
    /// From [`Namespace::rule_name`].
    pub name: String,
    /// For example `cron(0/5 13-20 ? * MON-FRI *)`, UTC.
    pub expression: String,
    pub state: RuleState,
    pub description: String,
    pub target: DesiredTarget,
}

/// The one target of a rule of ours. Its retry policy is always [`super::TARGET_MAX_AGE_SECONDS`] and
/// [`super::TARGET_MAX_RETRIES`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct DesiredTarget {
    pub id: String,
    /// The warmer function.
    pub arn: String,
    /// JSON text of at most 8,192 characters; `None` passes the event on whole, with the scheduled time in it.
    pub input: Option<String>,
    /// The SQS queue for ticks that could not be delivered.
    pub dead_letter_arn: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[derive(utoipa::ToSchema)]
pub enum RuleState {
    Enabled,
    Disabled,
}

impl RuleState {
    /// EventBridge's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
        }
    }
}

/// One rule as `ListRules`, `ListTargetsByRule` and `ListTagsForResource` describe it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct ActualRule {
    pub name: String,
    pub arn: String,
    pub expression: Option<String>,
    pub event_pattern: Option<String>,
    /// `ENABLED`, `DISABLED` or one that AWS adds later.
    pub state: String,
    pub description: Option<String>,
    /// The AWS service that made the rule.
    pub managed_by: Option<String>,
    pub role_arn: Option<String>,
    pub targets: Vec<ActualTarget>,
    /// Empty for rules whose name is not ours: theirs are not read.
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct ActualTarget {
    pub id: String,
    pub arn: String,
    pub input: Option<String>,
    pub max_age_seconds: Option<i32>,
    pub max_retries: Option<i32>,
    pub dead_letter_arn: Option<String>,
    /// Whether it has settings that we never make, such as an input transformer or a role.
    pub has_other_settings: bool,
}
