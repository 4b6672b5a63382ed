//! The actions on targets. Both answer 200 with `FailedEntryCount` when entries fail, which is easily overlooked.

use serde_json::{Value, json};

use super::bus::{Bus, Target};
use super::limits::{INPUT_CHARACTERS, TARGETS_PER_RULE, check_bus, check_name, check_not_managed, existing, page};
use super::wire::{LambdaTarget, ListTargetsByRule, PutTargets, Refusal, RemoveTargets, parse};

pub(crate) fn put(bus: &mut Bus, request: PutTargets, fail_entry: bool) -> Result<Value, Refusal> {
    check_bus(request.event_bus_name.as_deref())?;
    let rule = existing(bus, &request.rule)?;
    check_not_managed(&request.rule, rule)?;
    check_entry_count(request.targets.len())?;
    let mut checked = Vec::with_capacity(request.targets.len());
    for target in request.targets {
        checked.push((check_target(&target)?, target));
    }
    let added = checked.iter().filter(|(id, _)| !rule.targets.contains_key(id)).count();
    if rule.targets.len() + added > TARGETS_PER_RULE {
        return Err(Refusal::new(
            "LimitExceededException",
            "The requested resource exceeds the maximum number allowed.",
        ));
    }
    let failed = if fail_entry { Some(checked.remove(0).0) } else { None };
    rule.targets.extend(checked);
    Ok(entries_body(failed))
}

/// An id that is not there is no failure; a rule that is not there is.
pub(crate) fn remove(bus: &mut Bus, request: &RemoveTargets, fail_entry: bool) -> Result<Value, Refusal> {
    check_bus(request.event_bus_name.as_deref())?;
    let rule = existing(bus, &request.rule)?;
    if !request.force.unwrap_or(false) {
        check_not_managed(&request.rule, rule)?;
    }
    check_entry_count(request.ids.len())?;
    let failed = usize::from(fail_entry);
    for id in &request.ids[failed..] {
        rule.targets.remove(id);
    }
    Ok(entries_body(request.ids[..failed].first().cloned()))
}

pub(crate) fn list(bus: &mut Bus, request: &ListTargetsByRule) -> Result<Value, Refusal> {
    check_bus(request.event_bus_name.as_deref())?;
    let rule = existing(bus, &request.rule)?;
    let (ids, next) = page(rule.targets.keys(), request.next_token.as_deref(), request.limit)?;
    let targets: Vec<&Target> = ids.iter().map(|id| &rule.targets[id]).collect();
    Ok(match next {
        Some(next) => json!({"Targets": targets, "NextToken": next}),
        None => json!({"Targets": targets}),
    })
}

fn check_entry_count(entries: usize) -> Result<(), Refusal> {
    if (1..=100).contains(&entries) {
        return Ok(());
    }
    Err(Refusal::invalid("Member must have length between 1 and 100."))
}

/// The id of a target that AWS would take.
fn check_target(target: &Value) -> Result<String, Refusal> {
    let target: LambdaTarget = parse("PutTargets", target)?;
    check_name("targets.member.id", &target.id)?;
    if !target.arn.starts_with("arn:") || target.arn.len() > 1600 {
        return Err(Refusal::invalid(format!(
            "Parameter {} is not valid. Reason: Provided Arn is not in correct format.",
            target.arn
        )));
    }
    if let Some(input) = &target.input {
        if input.chars().count() > INPUT_CHARACTERS {
            return Err(Refusal::invalid("Member must have length less than or equal to 8192."));
        }
        if let Err(error) = serde_json::from_str::<Value>(input) {
            return Err(Refusal::invalid(format!("JSON syntax error in input for target {}: {error}", target.id)));
        }
    }
    if let Some(policy) = &target.retry_policy {
        let attempts = policy.maximum_retry_attempts.unwrap_or(185);
        let age = policy.maximum_event_age_in_seconds.unwrap_or(86_400);
        if !(0..=185).contains(&attempts) || !(60..=86_400).contains(&age) {
            return Err(Refusal::invalid("RetryPolicy is out of range."));
        }
    }
    if let Some(queue) = target.dead_letter_config.as_ref().and_then(|config| config.arn.as_ref())
        && !queue.starts_with("arn:aws:sqs:")
    {
        return Err(Refusal::invalid(format!("Dead-letter queue {queue} is not an SQS queue.")));
    }
    Ok(target.id)
}

fn entries_body(failed: Option<String>) -> Value {
    let failed: Vec<Value> = failed
        .into_iter()
        .map(|id| json!({"TargetId": id, "ErrorCode": "InternalFailure", "ErrorMessage": "The entry was not applied."}))
        .collect();
    json!({"FailedEntryCount": failed.len(), "FailedEntries": failed})
}
