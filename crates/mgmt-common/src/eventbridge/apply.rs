//! Applies a plan in the order that never leaves a gap: first everything that brings rules to their wanted form, then a second
//! look at the bus, and only when that shows every wanted rule does anything go.

use super::calls::Calls;
use super::observe::observe;
use super::report::{Outcome, RuleResult, SyncReport};
use super::writes::{delete, disable, put, remove_targets};
use crate::aws::AwsError;
use crate::rules::{Action, ActionName, Desired, DesiredRule, OldTarget, Plan, PlannedRule, owner, plan};

pub(super) async fn apply(calls: &mut Calls<'_>, desired: &Desired, first: &Plan) -> SyncReport {
    let mut results = establish(calls, desired, first).await;
    let changed = first.rules.iter().any(|rule| rule.action.is_establishing());
    let removes = first.rules.iter().any(|rule| rule.action.is_removing());
    let failed = results.iter().any(|result| result.outcome == Outcome::Failed);
    if failed || !(changed || removes) {
        return SyncReport::of_rules(results, &first.alarms, Vec::new(), calls);
    }
    match confirm(calls, desired).await {
        // An alarm stands for the whole run: rules that were created since make the share of deletions look smaller.
        Ok(_) if !first.alarms.is_empty() => SyncReport::of_rules(results, &first.alarms, Vec::new(), calls),
        Ok(confirmed) => {
            let adopted = remove(calls, &confirmed, &mut results).await;
            SyncReport::of_rules(results, &confirmed.alarms, adopted, calls)
        }
        Err(why) => {
            unconfirmed(&mut results, &why);
            SyncReport::of_rules(results, &first.alarms, Vec::new(), calls)
        }
    }
}

/// Creates, updates and disables. One rule's failure does not keep the others from being brought up to date.
async fn establish(calls: &mut Calls<'_>, desired: &Desired, plan: &Plan) -> Vec<RuleResult> {
    let owner = owner(&desired.namespace);
    let mut results = Vec::with_capacity(plan.rules.len());
    for rule in &plan.rules {
        let done = match &rule.action {
            Action::Create { rule } => put(calls, rule, &owner).await,
            Action::Update { rule, surplus_targets, make_room, .. } => {
                update(calls, (rule, &owner), surplus_targets, *make_room).await
            }
            Action::Disable { rule } => disable(calls, rule).await,
            _ => {
                results.push(untouched(rule));
                continue;
            }
        };
        results.push(result_of(rule, done));
    }
    results
}

/// Our target comes first, so that the rule never stands without one, unless the surplus ones take all its places: then it
/// does not fire our ping anyway.
async fn update(
    calls: &mut Calls<'_>,
    (rule, owner): (&DesiredRule, &str),
    surplus_targets: &[String],
    make_room: bool,
) -> Result<(), AwsError> {
    if make_room {
        remove_targets(calls, &rule.name, surplus_targets).await?;
    }
    put(calls, rule, owner).await?;
    if make_room {
        return Ok(());
    }
    remove_targets(calls, &rule.name, surplus_targets).await
}

/// Reads the bus until it shows every wanted rule as wanted, a few times. The plan made from that reading decides what goes:
/// it may know of rules that the first, possibly stale, reading did not show.
async fn confirm(calls: &mut Calls<'_>, desired: &Desired) -> Result<Plan, String> {
    for look in 0..calls.confirmations() {
        if look > 0 {
            calls.back_off(look - 1).await;
        }
        let actual = observe(calls, &desired.namespace).await.map_err(|error| error.to_string())?;
        let again = plan(desired, &actual).map_err(|error| error.to_string())?;
        if again.is_established() {
            return Ok(again);
        }
    }
    Err("the changes are written, but reading the bus again does not show them yet".to_owned())
}

/// Deletes what the confirmed plan says, and answers the targets of the old rules that went.
async fn remove(calls: &mut Calls<'_>, confirmed: &Plan, results: &mut Vec<RuleResult>) -> Vec<OldTarget> {
    let mut adopted = Vec::new();
    for rule in &confirmed.rules {
        let done = match &rule.action {
            Action::Delete { target_ids } => delete(calls, &rule.name, target_ids).await,
            Action::Old { remove: true, target_ids, targets, .. } => {
                let done = delete(calls, &rule.name, target_ids).await;
                if done.is_ok() {
                    adopted.extend(targets.iter().cloned());
                }
                done
            }
            Action::Kept { .. } => {
                replace(results, untouched(rule));
                continue;
            }
            _ => continue,
        };
        replace(results, result_of(rule, done));
    }
    // A rule that was to go and that the second look no longer shows has been removed by somebody else.
    let is_gone = |name: &str| !confirmed.rules.iter().any(|rule| rule.name == name);
    for result in results.iter_mut().filter(|result| result.outcome == Outcome::Waiting && is_gone(&result.name)) {
        result.outcome = Outcome::Done;
        result.reason = None;
    }
    adopted
}

/// Nothing that was written counts as done before it was seen.
fn unconfirmed(results: &mut [RuleResult], why: &str) {
    for result in results
        .iter_mut()
        .filter(|result| matches!(result.action, ActionName::Create | ActionName::Update | ActionName::Disable))
    {
        result.outcome = Outcome::Waiting;
        result.reason = Some(why.to_owned());
    }
    for result in results.iter_mut().filter(|result| result.outcome == Outcome::Waiting) {
        result.reason = Some(why.to_owned());
    }
}

/// The result of a rule that this step does not touch; removals wait until everything wanted is confirmed.
fn untouched(rule: &PlannedRule) -> RuleResult {
    let (outcome, reason) = match &rule.action {
        Action::Delete { .. } | Action::Old { remove: true, .. } => {
            (Outcome::Waiting, Some("it goes when every wanted rule is confirmed".to_owned()))
        }
        Action::Old { why: Some(why), .. } => (Outcome::Waiting, Some(why.clone())),
        Action::Old { .. } => (Outcome::LeftAlone, Some("it belongs to the old system".to_owned())),
        Action::Kept { why } | Action::Foreign { why } => (Outcome::LeftAlone, Some(why.clone())),
        Action::Conflict { why } => (Outcome::Failed, Some(format!("the name is taken: {why}"))),
        _ => (Outcome::Done, None),
    };
    RuleResult { name: rule.name.clone(), action: rule.action.name(), outcome, reason }
}

fn result_of(rule: &PlannedRule, done: Result<(), AwsError>) -> RuleResult {
    let (outcome, reason) = match done {
        Ok(()) => (Outcome::Done, None),
        Err(error) => (Outcome::Failed, Some(error.to_string())),
    };
    RuleResult { name: rule.name.clone(), action: rule.action.name(), outcome, reason }
}

fn replace(results: &mut Vec<RuleResult>, result: RuleResult) {
    match results.iter_mut().find(|known| known.name == result.name) {
        Some(known) => *known = result,
        None => results.push(result),
    }
}
