//! Taking over the old system's rules: what they sent to their functions becomes the functions' payload.

use mgmt_common::error::{Error, Result};
use mgmt_common::rules::OldTarget;
use mgmt_common::schedule::config::WarmingConfig;
use scoped_futures::ScopedFutureExt as _;
use serde_json::{Value, json};

use crate::State;
use crate::store::configs::actor_uuid;
use crate::store::leases::{self, StoredSchedule};
use crate::sync::Actor;

/// Stores the old targets' inputs in the schedule before their rules go. Changes `stored` to what is stored then.
///
/// # Errors
/// A conflict when the schedule was saved by somebody else meanwhile, or would not be valid with the payloads.
pub(crate) async fn keep_payloads(
    state: &State,
    actor: Actor<'_>,
    stored: &mut StoredSchedule,
    targets: &[OldTarget],
) -> Result<()> {
    let merged = &merge(&stored.value, targets);
    if *merged == stored.value {
        return Ok(());
    }
    WarmingConfig::parse(merged).map_err(|errors| {
        let first = errors.first().map(|error| format!("{} {}", error.pointer, error.message)).unwrap_or_default();
        Error::Conflict { code: "not_adoptable", detail: format!("the old rules' targets do not fit: {first}") }
    })?;
    let version = stored.version;
    let uuid = match actor {
        Actor::Caller(caller) => actor_uuid(caller),
        Actor::Worker => None,
    };
    if !state
        .transact(actor, |tx| async move { leases::replace_schedule(tx, merged, version, uuid).await }.scope_boxed())
        .await?
    {
        let detail = "the schedule was saved while the old rules were read; try again".to_owned();
        return Err(Error::Conflict { code: "schedule_changed", detail });
    }
    *stored = StoredSchedule { value: merged.clone(), version: version + 1, ..*stored };
    Ok(())
}

/// The schedule with every old target in `lambda_functions`. An entry that has a payload already keeps it.
fn merge(schedule: &Value, targets: &[OldTarget]) -> Value {
    let mut schedule = schedule.clone();
    let Some(fields) = schedule.as_object_mut() else { return schedule };
    let key = if fields.contains_key("lambdaFunctions") { "lambdaFunctions" } else { "lambda_functions" };
    let Some(functions) = fields.entry(key).or_insert_with(|| json!([])).as_array_mut() else { return schedule };
    for target in targets {
        let Some(name) = function_name(&target.arn) else { continue };
        let payload = target.input.as_ref().map(|input| {
            // EventBridge accepts JSON texts only; anything else would have been refused there.
            serde_json::from_str(input).unwrap_or_else(|_| json!(input))
        });
        let known = functions
            .iter_mut()
            .find(|entry| entry_name(entry).is_some_and(|known| known == name || known == target.arn));
        match known {
            Some(entry) => set_payload(entry, payload),
            None => {
                let mut entry = json!({ "name": name });
                set_payload(&mut entry, payload);
                functions.push(entry);
            }
        }
    }
    schedule
}

fn entry_name(entry: &Value) -> Option<&str> {
    entry.as_str().or_else(|| entry.get("name")?.as_str())
}

fn set_payload(entry: &mut Value, payload: Option<Value>) {
    let Some(payload) = payload else { return };
    if let Some(name) = entry.as_str() {
        *entry = json!({ "name": name });
    }
    if let Some(fields) = entry.as_object_mut() {
        fields.entry("payload").or_insert(payload);
    }
}

/// The name in `arn:aws:lambda:region:account:function:name`, with or without a qualifier.
fn function_name(arn: &str) -> Option<&str> {
    let mut parts = arn.split(':');
    let is_function = parts.nth(2) == Some("lambda") && parts.nth(2) == Some("function");
    parts.next().filter(|_| is_function)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_inputs_become_payloads_and_set_payloads_stay() {
        let arn = |name: &str| format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}");
        let old = |name: &str, input: Option<&str>| OldTarget {
            rule: "shop-prod-warmer-pattern-1".into(),
            arn: arn(name),
            input: input.map(str::to_owned),
        };
        let schedule = json!({"lambda_functions": ["plain", {"name": "set", "payload": "native"}, arn("by-arn")]});
        let targets = [
            old("plain", Some(r#"{"warmer":true}"#)),
            old("set", Some(r#"{"warmer":true}"#)),
            old("new", Some(r#"{"source":"warmer"}"#)),
            old("new", Some(r#"{"source":"warmer"}"#)),
            old("bare:live", None),
            old("by-arn", Some("[1]")),
        ];
        let expected = json!({"lambda_functions": [
            {"name": "plain", "payload": {"warmer": true}},
            {"name": "set", "payload": "native"},
            {"name": arn("by-arn"), "payload": [1]},
            {"name": "new", "payload": {"source": "warmer"}},
            {"name": "bare"},
        ]});
        assert_eq!(merge(&schedule, &targets), expected);
    }
}
