//! The actions on tags.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::bus::{Bus, Rule, rule_arn};
use super::limits::TAGS_PER_RULE;
use super::wire::{OneResource, Refusal, Tag};

pub(crate) fn list(bus: &mut Bus, request: &OneResource) -> Result<Value, Refusal> {
    let rule = by_arn(bus, &request.resource_arn)?;
    let tags: Vec<Value> = rule.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(json!({"Tags": tags}))
}

pub(crate) fn tag(bus: &mut Bus, request: OneResource) -> Result<Value, Refusal> {
    let tags = checked(request.tags)?;
    by_arn(bus, &request.resource_arn)?.tags.extend(tags);
    Ok(Value::Null)
}

pub(crate) fn untag(bus: &mut Bus, request: &OneResource) -> Result<Value, Refusal> {
    let rule = by_arn(bus, &request.resource_arn)?;
    rule.tags.retain(|key, _| !request.tag_keys.contains(key));
    Ok(Value::Null)
}

/// Tags that AWS would take: keys of 1 to 128 and values of up to 256 letters, digits, spaces and `+-=._:/@`.
pub(crate) fn checked(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, Refusal> {
    if tags.len() > TAGS_PER_RULE {
        return Err(Refusal::invalid("A rule can have 50 tags at most."));
    }
    let legal = |text: &str| text.chars().all(|one| one.is_alphanumeric() || " +-=._:/@".contains(one));
    for Tag { key, value } in &tags {
        let lengths = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
        if !lengths || !legal(key) || !legal(value) || key.starts_with("aws:") {
            return Err(Refusal::invalid(format!("Tag {key}={value} is not valid.")));
        }
    }
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

fn by_arn<'a>(bus: &'a mut Bus, arn: &str) -> Result<&'a mut Rule, Refusal> {
    let missing = || Refusal::new("ResourceNotFoundException", format!("Resource {arn} does not exist."));
    let name = bus.keys().find(|name| rule_arn(name) == arn).cloned().ok_or_else(missing)?;
    bus.get_mut(&name).ok_or_else(missing)
}
