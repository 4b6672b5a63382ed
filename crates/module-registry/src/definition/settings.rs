//! A module's config against its JSON Schema. Nothing is fetched: a schema that refers elsewhere is refused.

use std::collections::BTreeMap;

use jsonschema::{PatternOptions, ValidationError, Validator};
use mgmt_common::text::cut;
use module_mgmt_protocol::field_error::FieldError;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::schema_cost;

/// Enough to mend a config; a schema can find faults without end.
const MAX_ERRORS: usize = 20;
/// Longest sentence about one of them, in characters.
const MAX_WORDS: usize = 200;
/// What one regular expression may take, compiled.
const MAX_PATTERN_BYTES: usize = 256 * 1024;

/// A schema that has been counted and compiled, once for all configs that are held against it.
pub(crate) struct ConfigSchema {
    schema: Value,
    validator: Validator,
}

impl ConfigSchema {
    /// # Errors
    /// It is no schema, refers elsewhere, or could take too long.
    pub(crate) fn read(schema: &RawValue) -> Result<Self, FieldError> {
        let schema = value(schema).map_err(|_| FieldError::new("/configSchema", "is not JSON"))?;
        schema_cost::of_schema(&schema)?;
        // Patterns run in time linear to the text, whoever wrote them.
        let patterns = PatternOptions::regex().size_limit(MAX_PATTERN_BYTES);
        let validator = jsonschema::options().with_pattern_options(patterns).build(&schema).map_err(|error| {
            let message = format!("is no JSON Schema that can be used here: {}", words(&error));
            FieldError::new(format!("/configSchema{}", error.instance_path()), message)
        })?;
        Ok(Self { schema, validator })
    }

    /// The first faults of a config, with pointers into it.
    pub(crate) fn faults(&self, config: &RawValue) -> Vec<FieldError> {
        let Ok(config) = value(config) else { return vec![FieldError::new("/config", "is not JSON")] };
        if let Err(error) = schema_cost::of_config(&self.schema, &config, "/config") {
            return vec![error];
        }
        let errors = self.validator.iter_errors(&config).take(MAX_ERRORS);
        errors.map(|error| FieldError::new(format!("/config{}", error.instance_path()), words(&error))).collect()
    }
}

/// What is wrong with a schema, or else with the config by it.
pub(crate) fn faults(config: &RawValue, schema: Option<&RawValue>) -> Vec<FieldError> {
    match schema.map(ConfigSchema::read) {
        None => Vec::new(),
        Some(Ok(schema)) => schema.faults(config),
        Some(Err(error)) => vec![error],
    }
}

/// The schema that a stored module has. One that cannot be used forbids nothing: it is the platform's matter, and not of who has a config.
pub(crate) fn stored_schema(schema: Option<&RawValue>) -> Option<ConfigSchema> {
    ConfigSchema::read(schema?).ok()
}

/// What an error says, which may hold the value that it is about.
fn words(error: &ValidationError<'_>) -> String {
    cut(error.to_string(), MAX_WORDS)
}

/// `base` with `over` merged over it: JSON Merge Patch (RFC 7396), where null removes a key. What is not merged stays as it is written,
/// digit by digit.
pub(crate) fn merged(base: &RawValue, over: Option<&RawValue>) -> Result<Box<RawValue>, serde_json::Error> {
    over.map_or_else(|| Ok(base.to_owned()), |over| merge(Some(base), over))
}

fn merge(base: Option<&RawValue>, over: &RawValue) -> Result<Box<RawValue>, serde_json::Error> {
    if !is_object(over) {
        return Ok(over.to_owned());
    }
    let mut merged: BTreeMap<String, Box<RawValue>> = match base.filter(|base| is_object(base)) {
        Some(base) => serde_json::from_str(base.get())?,
        None => BTreeMap::new(),
    };
    let over: BTreeMap<String, &RawValue> = serde_json::from_str(over.get())?;
    for (key, value) in over {
        if value.get() == "null" {
            merged.remove(&key);
        } else {
            let value = merge(merged.get(&key).map(Box::as_ref), value)?;
            merged.insert(key, value);
        }
    }
    to_raw_value(&merged)
}

pub(crate) fn is_object(raw: &RawValue) -> bool {
    raw.get().trim_start().starts_with('{')
}

fn value(raw: &RawValue) -> Result<Value, serde_json::Error> {
    serde_json::from_str(raw.get())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn raw(value: &Value) -> Box<RawValue> {
        RawValue::from_string(value.to_string()).unwrap()
    }

    #[track_caller]
    fn check(config: &Value, schema: &Value, pointers: &[&str]) {
        let found = faults(&raw(config), Some(&raw(schema)));
        assert_eq!(found.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), pointers, "{found:?}");
    }

    #[test]
    fn a_config_is_held_against_its_schema() {
        let schema = json!({"type": "object", "required": ["limit"], "properties": {"limit": {"type": "integer", "minimum": 1}}});
        check(&json!({"limit": 5}), &schema, &[]);
        check(&json!({"limit": 0}), &schema, &["/config/limit"]);
        check(&json!({}), &schema, &["/config"]);
    }

    #[test]
    fn a_schema_must_be_one_and_refers_to_nothing_outside() {
        check(&json!({}), &json!({"type": "integr"}), &["/configSchema/type"]);
        check(&json!({"a": 1}), &json!({"$ref": "#/$defs/a", "$defs": {"a": {"maxProperties": 0}}}), &["/config"]);
        for elsewhere in ["http://127.0.0.1:9/schema.json", "file:///etc/hostname"] {
            let found = faults(&raw(&json!({})), Some(&raw(&json!({"$ref": elsewhere}))));
            assert!(found.len() == 1 && found[0].pointer.starts_with("/configSchema"), "{found:?}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_time_to_speak_of() {
        let schema = json!({"properties": {"a": {"pattern": "^(a+)+$"}}});
        check(&json!({"a": format!("{}!", "a".repeat(50_000))}), &schema, &["/config/a"]);
    }

    #[test]
    fn an_override_is_merged_key_by_key_and_null_removes() {
        let merge = |base: Value, over: Value| value(&merged(&raw(&base), Some(&raw(&over))).unwrap()).unwrap();
        assert_eq!(
            merge(json!({"a": {"b": 1, "c": 2}, "d": 3}), json!({"a": {"b": 9, "c": null}})),
            json!({"a": {"b": 9}, "d": 3})
        );
        assert_eq!(merge(json!({"a": [1, 2]}), json!({"a": [3]})), json!({"a": [3]}));
        assert_eq!(merge(json!({"a": 1}), json!({"a": {"b": {"c": null}}})), json!({"a": {"b": {}}}));
        let text = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let kept =
            merged(&text(r#"{"a":123456789012345678901234567890.10,"b":1}"#), Some(&text(r#"{"b":2.50}"#))).unwrap();
        assert_eq!(kept.get(), r#"{"a":123456789012345678901234567890.10,"b":2.50}"#);
    }
}
