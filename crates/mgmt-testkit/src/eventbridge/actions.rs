//! The actions on rules, with AWS's own checks in AWS's order. Facts: the EventBridge API reference, page of each action.

use serde_json::{Value, json};

use super::bus::{Bus, Rule, rule_arn};
use super::expression::check_schedule_expression;
use super::limits::{
    DESCRIPTION_CHARACTERS, EXPRESSION_CHARACTERS, RULES_PER_BUS, check_bus, check_name, check_not_managed, existing,
    page,
};
use super::wire::{ListRules, OneRule, PutRule, Refusal, parse};
use super::{tags, targets};

/// Runs one action. `fail_entry` makes `PutTargets` and `RemoveTargets` leave their first entry undone and say so.
pub(crate) fn run(bus: &mut Bus, action: &str, body: &Value, fail_entry: bool) -> Result<Value, Refusal> {
    match action {
        "PutRule" => put_rule(bus, parse(action, body)?),
        "DescribeRule" => describe_rule(bus, &parse(action, body)?),
        "EnableRule" => set_state(bus, &parse(action, body)?, "ENABLED"),
        "DisableRule" => set_state(bus, &parse(action, body)?, "DISABLED"),
        "DeleteRule" => delete_rule(bus, &parse(action, body)?),
        "ListRules" => list_rules(bus, &parse(action, body)?),
        "PutTargets" => targets::put(bus, parse(action, body)?, fail_entry),
        "RemoveTargets" => targets::remove(bus, &parse(action, body)?, fail_entry),
        "ListTargetsByRule" => targets::list(bus, &parse(action, body)?),
        "ListTagsForResource" => tags::list(bus, &parse(action, body)?),
        "TagResource" => tags::tag(bus, parse(action, body)?),
        "UntagResource" => tags::untag(bus, &parse(action, body)?),
        _ => Err(Refusal::violation(format!("unknown action {action}"))),
    }
}

/// Replaces every field: an omitted `State` means `ENABLED`, an omitted description is cleared. Tags count at creation only.
fn put_rule(bus: &mut Bus, request: PutRule) -> Result<Value, Refusal> {
    check_bus(request.event_bus_name.as_deref())?;
    check_name("name", &request.name)?;
    let state = request.state.unwrap_or_else(|| "ENABLED".to_owned());
    if state != "ENABLED" && state != "DISABLED" {
        return Err(Refusal::invalid(format!("Value '{state}' at 'state' failed to satisfy constraint.")));
    }
    if request.description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_CHARACTERS) {
        return Err(Refusal::invalid("Description is longer than 512 characters."));
    }
    match (&request.schedule_expression, &request.event_pattern) {
        (None, None) => {
            return Err(Refusal::invalid("Parameter(s) EventPattern or ScheduleExpression must be specified."));
        }
        (Some(expression), _) => {
            if expression.len() > EXPRESSION_CHARACTERS || check_schedule_expression(expression).is_err() {
                return Err(Refusal::invalid("Parameter ScheduleExpression is not valid."));
            }
        }
        (None, Some(pattern)) => {
            if !serde_json::from_str::<Value>(pattern).is_ok_and(|value| value.is_object()) {
                return Err(Refusal::new("InvalidEventPatternException", "Event pattern is not valid."));
            }
        }
    }
    let replacement = Rule {
        expression: request.schedule_expression,
        event_pattern: request.event_pattern,
        state,
        description: request.description,
        role_arn: request.role_arn,
        ..Rule::default()
    };
    if let Some(rule) = bus.get_mut(&request.name) {
        check_not_managed(&request.name, rule)?;
        let old = std::mem::replace(rule, replacement);
        rule.targets = old.targets;
        rule.tags = old.tags;
    } else {
        if bus.len() >= RULES_PER_BUS {
            return Err(Refusal::new(
                "LimitExceededException",
                "The requested resource exceeds the maximum number allowed.",
            ));
        }
        let tags = tags::checked(request.tags)?;
        bus.insert(request.name.clone(), Rule { tags, ..replacement });
    }
    Ok(json!({"RuleArn": rule_arn(&request.name)}))
}

fn describe_rule(bus: &mut Bus, request: &OneRule) -> Result<Value, Refusal> {
    check_bus(request.event_bus_name.as_deref())?;
    let rule = existing(bus, &request.name)?;
    Ok(rule_body(&request.name, rule))
}

fn set_state(bus: &mut Bus, request: &OneRule, state: &str) -> Result<Value, Refusal> {
    check_bus(request.event_bus_name.as_deref())?;
    let rule = existing(bus, &request.name)?;
    check_not_managed(&request.name, rule)?;
    state.clone_into(&mut rule.state);
    Ok(Value::Null)
}

/// Refused while the rule has targets; deleting a rule that is not there succeeds.
fn delete_rule(bus: &mut Bus, request: &OneRule) -> Result<Value, Refusal> {
    check_bus(request.event_bus_name.as_deref())?;
    check_name("name", &request.name)?;
    if let Some(rule) = bus.get(&request.name) {
        if !request.force.unwrap_or(false) {
            check_not_managed(&request.name, rule)?;
        }
        if !rule.targets.is_empty() {
            return Err(Refusal::invalid("Rule can't be deleted since it has targets."));
        }
        bus.remove(&request.name);
    }
    Ok(Value::Null)
}

/// Sorted by name, at most 100 per page, without tags and targets.
fn list_rules(bus: &Bus, request: &ListRules) -> Result<Value, Refusal> {
    check_bus(request.event_bus_name.as_deref())?;
    let prefix = request.name_prefix.as_deref().unwrap_or_default();
    if request.name_prefix.is_some() {
        check_name("namePrefix", prefix)?;
    }
    let matching = bus.keys().filter(|name| name.starts_with(prefix));
    let (names, next) = page(matching, request.next_token.as_deref(), request.limit)?;
    let rules: Vec<Value> = names.iter().map(|name| rule_body(name, &bus[name])).collect();
    Ok(match next {
        Some(next) => json!({"Rules": rules, "NextToken": next}),
        None => json!({"Rules": rules}),
    })
}

fn rule_body(name: &str, rule: &Rule) -> Value {
    let mut body = json!({"Name": name, "Arn": rule_arn(name), "State": rule.state, "EventBusName": "default"});
    for (field, value) in [
        ("ScheduleExpression", &rule.expression),
        ("EventPattern", &rule.event_pattern),
        ("Description", &rule.description),
        ("RoleArn", &rule.role_arn),
        ("ManagedBy", &rule.managed_by),
    ] {
        if let Some(value) = value {
            body[field] = json!(value);
        }
    }
    body
}
