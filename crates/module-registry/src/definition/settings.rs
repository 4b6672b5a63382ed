//! A module's config against its JSON Schema. Nothing is fetched: a schema that refers elsewhere is refused.

use std::collections::BTreeMap;

use jsonschema::{PatternOptions, ValidationError, Validator};
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

/// What is wrong with a schema, or with the config by it. `pointer` is where the config is in the request.
pub(crate) fn faults(config: &RawValue, schema: Option<&RawValue>, pointer: &str) -> Vec<FieldError> {
    let Some(schema) = schema else { return Vec::new() };
    let (Ok(config), Ok(schema)) = (value(config), value(schema)) else {
        return vec![FieldError::new(pointer, "the config or its schema is not JSON")];
    };
    let validator = match schema_cost::of_schema(&schema).and_then(|()| compile(&schema)) {
        Ok(validator) => validator,
        Err(error) => return vec![error],
    };
    if let Err(error) = schema_cost::of_config(&schema, &config, pointer) {
        return vec![error];
    }
    let errors = validator.iter_errors(&config).take(MAX_ERRORS);
    errors.map(|error| FieldError::new(format!("{pointer}{}", error.instance_path()), words(&error))).collect()
}

/// What an error says, which may hold the value that it is about.
fn words(error: &ValidationError<'_>) -> String {
    let mut words = error.to_string();
    if let Some((end, _)) = words.char_indices().nth(MAX_WORDS) {
        words.truncate(end);
        words.push('…');
    }
    words
}

/// The first fault of a merged config by its schema, with a pointer into it. A schema that cannot be used forbids nothing.
pub(crate) fn misfit(config: &RawValue, schema: Option<&RawValue>) -> Option<FieldError> {
    let found = faults(config, schema, "/config").into_iter();
    let mut found = found.filter(|fault| fault.pointer == "/config" || fault.pointer.starts_with("/config/"));
    found.next()
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

fn compile(schema: &Value) -> Result<Validator, FieldError> {
    // Patterns run in time linear to the text, whoever wrote them.
    let patterns = PatternOptions::regex().size_limit(MAX_PATTERN_BYTES);
    let options = jsonschema::options().with_pattern_options(patterns);
    options.build(schema).map_err(|error| {
        let at = error.instance_path().to_string();
        let message = format!("is no JSON Schema that can be used here: {}", words(&error));
        FieldError::new(format!("/configSchema{at}"), message)
    })
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
        let found = faults(&raw(config), Some(&raw(schema)), "/config");
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
            let found = faults(&raw(&json!({})), Some(&raw(&json!({"$ref": elsewhere}))), "/config");
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
