//! AWS's limits on names, pages and the default bus (EventBridge API reference and "EventBridge quotas").

use super::bus::{Bus, Rule};
use super::wire::Refusal;

/// Rules per bus in most Regions.
pub(crate) const RULES_PER_BUS: usize = 300;
/// Targets per rule.
pub(crate) const TARGETS_PER_RULE: usize = 5;
/// Characters of a target's constant input.
pub(crate) const INPUT_CHARACTERS: usize = 8192;
/// Characters of a schedule expression.
pub(crate) const EXPRESSION_CHARACTERS: usize = 256;
/// Characters of a description.
pub(crate) const DESCRIPTION_CHARACTERS: usize = 512;
/// Tags per rule.
pub(crate) const TAGS_PER_RULE: usize = 50;
/// Entries in one answer of a list action.
pub(crate) const PAGE: usize = 100;

/// Names of rules and ids of targets: 1 to 64 of `[.\-_A-Za-z0-9]`.
pub(crate) fn check_name(field: &str, name: &str) -> Result<(), Refusal> {
    let legal = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    if legal && (1..=64).contains(&name.len()) {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "1 validation error detected: Value '{name}' at '{field}' failed to satisfy constraint: Member must have length \
         less than or equal to 64 and satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+"
    )))
}

/// The fake has the default bus only.
pub(crate) fn check_bus(event_bus_name: Option<&str>) -> Result<(), Refusal> {
    match event_bus_name {
        None | Some("default") => Ok(()),
        Some(other) => Err(Refusal::new("ResourceNotFoundException", format!("Event bus {other} does not exist."))),
    }
}

pub(crate) fn existing<'a>(bus: &'a mut Bus, name: &str) -> Result<&'a mut Rule, Refusal> {
    bus.get_mut(name).ok_or_else(|| Refusal::no_such_rule(name))
}

/// Rules that another AWS service made can be changed by that service only.
pub(crate) fn check_not_managed(name: &str, rule: &Rule) -> Result<(), Refusal> {
    match &rule.managed_by {
        None => Ok(()),
        Some(service) => Err(Refusal::new(
            "ManagedRuleException",
            format!("Rule {name} is managed by {service} and cannot be modified."),
        )),
    }
}

/// One page of names after the one that the token holds, and the token of the next page.
pub(crate) fn page<'a>(
    names: impl Iterator<Item = &'a String>,
    token: Option<&str>,
    limit: Option<usize>,
) -> Result<(Vec<String>, Option<String>), Refusal> {
    let limit = limit.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&limit) {
        return Err(Refusal::invalid("Limit must be between 1 and 100."));
    }
    let after = match token {
        None => None,
        Some(token) => {
            Some(token.strip_prefix("after:").ok_or_else(|| Refusal::invalid("NextToken is not one of ours."))?)
        }
    };
    let mut rest = names.filter(|name| after.is_none_or(|after| name.as_str() > after)).cloned().peekable();
    let names: Vec<String> = rest.by_ref().take(limit).collect();
    let next = rest.peek().and(names.last()).map(|last| format!("after:{last}"));
    Ok((names, next))
}
