//! Taking over the old system's rules: what they sent to their functions becomes the functions' payload.

use mgmt_common::rules::OldTarget;
use mgmt_common::schedule::config::WarmingConfig;
use mgmt_common::schedule::stored::StoredSchedule;
use mgmt_common::web::error::{Error, Result};
use scoped_futures::ScopedFutureExt as _;
use serde_json::{Value, json};

use crate::State;
use crate::actor::Actor;
use crate::store::configs::actor_uuid;
use crate::store::leases;

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
        Error::conflict("not_adoptable", format!("the old rules' targets do not fit: {first}"))
    })?;
    let version = stored.version;
    let actor_id = match actor {
        Actor::Caller(caller) => actor_uuid(caller),
        Actor::Worker => None,
    };
    if !state
        .transact(actor, |tx| {
            async move { leases::replace_schedule(tx, merged, version, actor_id).await }.scope_boxed()
        })
        .await?
    {
        let detail = "the schedule was saved while the old rules were read; try again".to_owned();
        return Err(Error::conflict("schedule_changed", detail));
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
        let Some(old) = OldFunction::parse(&target.arn) else { continue };
        let payload = target.input.as_ref().map(|input| {
            // EventBridge accepts JSON texts only; anything else would have been refused there.
            serde_json::from_str(input).unwrap_or_else(|_| json!(input))
        });
        match functions.iter_mut().find(|entry| old.is(entry)) {
            Some(entry) => set_payload(entry, payload),
            None => {
                let mut entry = json!({ "name": old.name });
                if let Some(qualifier) = old.qualifier {
                    entry["qualifier"] = qualifier.into();
                }
                set_payload(&mut entry, payload);
                functions.push(entry);
            }
        }
    }
    schedule
}

fn set_payload(entry: &mut Value, payload: Option<Value>) {
    let Some(payload) = payload else { return };
    if let Some(name) = entry.as_str() {
        *entry = json!({ "name": name });
    }
    // The parser takes a null for an absent payload, and so does this.
    if entry.get("payload").is_none_or(Value::is_null) {
        entry["payload"] = payload;
    }
}

/// The function behind an old target: `arn:aws:lambda:region:account:function:name`, with or without a qualifier.
struct OldFunction<'a> {
    name: &'a str,
    qualifier: Option<&'a str>,
    /// Without the qualifier.
    arn: &'a str,
}

impl<'a> OldFunction<'a> {
    fn parse(arn: &'a str) -> Option<Self> {
        let mut parts = arn.split(':');
        let is_function = parts.nth(2) == Some("lambda") && parts.nth(2) == Some("function");
        let name = parts.next().filter(|_| is_function)?;
        let qualifier = parts.next();
        let arn = qualifier.and_then(|qualifier| arn.strip_suffix(qualifier)?.strip_suffix(':')).unwrap_or(arn);
        Some(Self { name, qualifier, arn })
    }

    /// Whether an entry of the schedule names the same function and qualifier.
    fn is(&self, entry: &Value) -> bool {
        let name = entry.as_str().or_else(|| entry.get("name")?.as_str());
        let qualifier = entry.get("qualifier").and_then(Value::as_str);
        let latest = |qualifier: Option<&'a str>| qualifier.filter(|qualifier| *qualifier != "$LATEST");
        name.is_some_and(|name| name == self.name || name == self.arn)
            && qualifier.filter(|qualifier| *qualifier != "$LATEST") == latest(self.qualifier)
    }
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
        let schedule = json!({"lambda_functions": ["plain", {"name": "set", "payload": "native"}, arn("by-arn"), {"name": "nothing", "payload": null}]});
        let targets = [
            old("plain", Some(r#"{"warmer":true}"#)),
            old("set", Some(r#"{"warmer":true}"#)),
            old("new", Some(r#"{"source":"warmer"}"#)),
            old("new", Some(r#"{"source":"warmer"}"#)),
            old("bare:live", None),
            old("plain:live", Some(r#"{"warmer":true}"#)),
            old("nothing", Some("[2]")),
            old("by-arn", Some("[1]")),
        ];
        let expected = json!({"lambda_functions": [
            {"name": "plain", "payload": {"warmer": true}},
            {"name": "set", "payload": "native"},
            {"name": arn("by-arn"), "payload": [1]},
            {"name": "nothing", "payload": [2]},
            {"name": "new", "payload": {"source": "warmer"}},
            {"name": "bare", "qualifier": "live"},
            {"name": "plain", "qualifier": "live", "payload": {"warmer": true}},
        ]});
        assert_eq!(merge(&schedule, &targets), expected);
    }
}
