//! What a reconcile would do, rule by rule; the answer of a dry run.

use serde::Serialize;

use super::{ActualRule, DesiredRule, Drift, OldTarget};

/// One entry per rule that is desired or was found under our prefixes, sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct Plan {
    pub rules: Vec<PlannedRule>,
    /// What a person must look at before the rest may happen; deletions are withheld while there is one.
    pub alarms: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct PlannedRule {
    pub name: String,
    #[serde(flatten)]
    pub action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[derive(utoipa::ToSchema)]
#[schema(as = PlannedAction)]
pub enum Action {
    Create {
        rule: Box<DesiredRule>,
    },
    Update {
        rule: Box<DesiredRule>,
        drift: Vec<Drift>,
        /// Ids of targets that are not ours on a rule that is.
        #[schema(rename = "surplusTargets")]
        surplus_targets: Vec<String>,
        /// The surplus targets leave no room for ours, so they go first.
        #[schema(rename = "makeRoom")]
        make_room: bool,
    },
    Unchanged,
    /// Nothing is due at all, so the rule is switched off and otherwise kept as it is.
    Disable {
        rule: Box<ActualRule>,
    },
    Delete {
        #[schema(rename = "targetIds")]
        target_ids: Vec<String>,
    },
    /// Ours and not wanted any more, but kept because of an alarm.
    Kept {
        why: String,
    },
    /// Not ours: left alone.
    Foreign {
        why: String,
    },
    /// Wanted, but the name is taken by a rule that is not ours, which is left alone.
    Conflict {
        why: String,
    },
    /// A rule of the old system.
    Old {
        state: String,
        targets: Vec<OldTarget>,
        #[schema(rename = "targetIds")]
        target_ids: Vec<String>,
        /// Whether it goes once our rules are active.
        remove: bool,
        /// Why it stays although its adoption was asked for.
        why: Option<String>,
    },
}

impl Plan {
    /// Whether the bus already has every wanted rule exactly as wanted, so that surplus rules may go.
    pub fn is_established(&self) -> bool {
        !self.rules.iter().any(|rule| rule.action.is_establishing() || matches!(rule.action, Action::Conflict { .. }))
    }

    /// The targets of the old system's rules that this plan removes. Store their inputs before applying the plan:
    /// afterwards they are gone.
    pub fn adopted_targets(&self) -> Vec<OldTarget> {
        let removed = self.rules.iter().filter_map(|rule| match &rule.action {
            Action::Old { targets, remove: true, .. } => Some(targets.iter().cloned()),
            _ => None,
        });
        removed.flatten().collect()
    }
}

impl Action {
    /// Whether it brings a rule to its wanted form, as opposed to removing one or doing nothing.
    pub fn is_establishing(&self) -> bool {
        matches!(self, Self::Create { .. } | Self::Update { .. } | Self::Disable { .. })
    }

    /// Whether it removes a rule.
    pub fn is_removing(&self) -> bool {
        matches!(self, Self::Delete { .. } | Self::Old { remove: true, .. })
    }

    /// The name of the action as the serialised plan has it.
    pub fn name(&self) -> ActionName {
        match self {
            Self::Create { .. } => ActionName::Create,
            Self::Update { .. } => ActionName::Update,
            Self::Unchanged => ActionName::Unchanged,
            Self::Disable { .. } => ActionName::Disable,
            Self::Delete { .. } => ActionName::Delete,
            Self::Kept { .. } => ActionName::Kept,
            Self::Foreign { .. } => ActionName::Foreign,
            Self::Conflict { .. } => ActionName::Conflict,
            Self::Old { .. } => ActionName::Old,
        }
    }
}

/// Which action, without what it would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ActionName {
    Create,
    Update,
    Unchanged,
    Disable,
    Delete,
    Kept,
    Foreign,
    Conflict,
    Old,
}

impl ActionName {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Unchanged => "unchanged",
            Self::Disable => "disable",
            Self::Delete => "delete",
            Self::Kept => "kept",
            Self::Foreign => "foreign",
            Self::Conflict => "conflict",
            Self::Old => "old",
        }
    }
}
