//! The comparison itself, with the guards that keep a wrong desired state from doing harm.

use std::collections::BTreeMap;

use super::drift::{drift, surplus_targets};
use super::{
    Action, ActualRule, Adoption, Desired, DesiredRule, MAX_RULES, MAX_TARGETS, OWNER_TAG, OldTarget, Plan, PlannedRule,
};
use super::{RuleState, owner};

/// A reconcile that repeats an applied config version may delete this many rules, whatever their share.
const DELETIONS_ALWAYS_ALLOWED: usize = 5;

/// Beyond that number it may delete this share of our rules, in percent.
const DELETIONS_ALLOWED_PERCENT: usize = 20;

/// A desired state that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("{0} rules are wanted, but at most {MAX_RULES} are allowed")]
    TooManyRules(usize),
    #[error("the rule name {0} is not one of {1}")]
    NotOurName(String, String),
    #[error("the rule {0} is wanted twice")]
    WantedTwice(String),
}

/// Compares what should be with what was found under our two prefixes.
///
/// # Errors
/// The desired state breaks its own rules; nothing may be changed then.
pub fn plan(desired: &Desired, actual: &[ActualRule]) -> Result<Plan, PlanError> {
    let wanted = check_desired(desired)?;
    let mut actions: BTreeMap<&str, Action> = BTreeMap::new();
    for found in actual {
        actions.insert(&found.name, action_for_found(desired, wanted.get(found.name.as_str()).copied(), found));
    }
    for (name, rule) in wanted {
        actions.entry(name).or_insert_with(|| Action::Create { rule: Box::new(rule.clone()) });
    }
    let mut rules: Vec<PlannedRule> =
        actions.into_iter().map(|(name, action)| PlannedRule { name: name.to_owned(), action }).collect();
    let alarms = withhold_suspicious_deletions(desired, &mut rules);
    Ok(Plan { rules, alarms })
}

fn check_desired(desired: &Desired) -> Result<BTreeMap<&str, &DesiredRule>, PlanError> {
    if desired.rules.len() > MAX_RULES {
        return Err(PlanError::TooManyRules(desired.rules.len()));
    }
    let mut wanted = BTreeMap::new();
    for rule in &desired.rules {
        if !desired.namespace.owns(&rule.name) {
            return Err(PlanError::NotOurName(rule.name.clone(), owner(&desired.namespace)));
        }
        if wanted.insert(rule.name.as_str(), rule).is_some() {
            return Err(PlanError::WantedTwice(rule.name.clone()));
        }
    }
    Ok(wanted)
}

fn action_for_found(desired: &Desired, wanted: Option<&DesiredRule>, found: &ActualRule) -> Action {
    if let Some(why) = why_foreign(desired, found) {
        return if wanted.is_some() { Action::Conflict { why } } else { Action::Foreign { why } };
    }
    if desired.namespace.old_rule(&found.name) {
        return action_for_old(desired, found);
    }
    match wanted {
        Some(rule) => action_for_wanted(rule, found),
        None if desired.rules.is_empty() && found.state == RuleState::Disabled.as_str() => Action::Unchanged,
        None if desired.rules.is_empty() => Action::Disable { rule: Box::new(found.clone()) },
        None => Action::Delete { target_ids: target_ids(found) },
    }
}

fn why_foreign(desired: &Desired, found: &ActualRule) -> Option<String> {
    if let Some(service) = &found.managed_by {
        return Some(format!("it is managed by {service}"));
    }
    if desired.namespace.old_rule(&found.name) {
        return None;
    }
    if !desired.namespace.owns(&found.name) {
        return Some("its name does not follow our grammar".to_owned());
    }
    let expected = owner(&desired.namespace);
    match found.tags.get(OWNER_TAG) {
        Some(tag) if *tag == expected => None,
        Some(tag) => Some(format!("its tag {OWNER_TAG} is {tag}, not {expected}")),
        None => Some(format!("it has no tag {OWNER_TAG}")),
    }
}

fn action_for_wanted(rule: &DesiredRule, found: &ActualRule) -> Action {
    let drift = drift(rule, found);
    if drift.is_empty() {
        return Action::Unchanged;
    }
    let surplus_targets: Vec<String> = surplus_targets(rule, found).map(|target| target.id.clone()).collect();
    let make_room = surplus_targets.len() >= MAX_TARGETS;
    Action::Update { rule: Box::new(rule.clone()), drift, surplus_targets, make_room }
}

fn action_for_old(desired: &Desired, found: &ActualRule) -> Action {
    let replaced = desired.rules.iter().any(|rule| rule.state == RuleState::Enabled);
    let targets: Vec<OldTarget> = found
        .targets
        .iter()
        .map(|target| OldTarget { rule: found.name.clone(), arn: target.arn.clone(), input: target.input.clone() })
        .collect();
    let is_stored = desired.adoption.covers(&targets);
    let why = match (&desired.adoption, replaced, is_stored) {
        (Adoption::None, ..) | (_, true, true) => None,
        (_, false, _) => {
            Some("no rule of ours would be enabled, and an old rule goes only after new ones have taken its place")
        }
        (_, true, false) => Some("what it sends to its targets is not stored yet; adopt the old rules once more"),
    };
    let why = why.map(str::to_owned);
    let remove = replaced && is_stored;
    Action::Old { state: found.state.clone(), targets, target_ids: target_ids(found), remove, why }
}

fn target_ids(found: &ActualRule) -> Vec<String> {
    found.targets.iter().map(|target| target.id.clone()).collect()
}

/// Turns deletions into keeping when there are suspiciously many for a config version that is already applied, or for an
/// older one: the config did not change, so more likely the rules were compiled from the wrong row or database.
fn withhold_suspicious_deletions(desired: &Desired, rules: &mut [PlannedRule]) -> Vec<String> {
    let is_edit = desired.applied_version.is_none_or(|applied| desired.config_version > applied);
    let ours = |action: &Action| matches!(action, Action::Update { .. } | Action::Unchanged | Action::Delete { .. });
    let owned = rules.iter().filter(|rule| ours(&rule.action)).count();
    let deletions = rules.iter().filter(|rule| matches!(rule.action, Action::Delete { .. })).count();
    let is_many = deletions > DELETIONS_ALWAYS_ALLOWED && deletions * 100 > owned * DELETIONS_ALLOWED_PERCENT;
    if is_edit || !is_many {
        return Vec::new();
    }
    let alarm = format!(
        "{deletions} of {owned} rules would be deleted although config version {} is already applied; none was",
        desired.config_version
    );
    for rule in rules {
        if matches!(rule.action, Action::Delete { .. }) {
            rule.action = Action::Kept { why: alarm.clone() };
        }
    }
    vec![alarm]
}
