//! What evaluating a JSON Schema can cost. Twenty-two definitions, each of which asks for the next one twice, are a page of JSON and four
//! million evaluations; so a schema is counted before it is used, and so is each config that is held against it.
//!
//! One step is one schema that meets one value. The counting itself takes time linear in the pairs that it meets.

use std::borrow::Cow;
use std::collections::HashMap;

use module_mgmt_protocol::field_error::FieldError;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// The most steps that a schema may take for a value that has each of its properties, and one item in each of its lists.
const MAX_SCHEMA_STEPS: u64 = 10_000;
/// The most steps that a config may take.
const MAX_CONFIG_STEPS: u64 = 100_000;
/// The longest way from a schema to one inside of it, and with a value's own depth: whoever evaluates goes it on the stack.
const MAX_SCHEMA_DEPTH: usize = 128;
const MAX_CONFIG_DEPTH: usize = 500;
/// The most regular expressions; each is compiled before the first value is seen.
const MAX_PATTERNS: usize = 200;

/// Schemas that meet the same value as the one they are in, and are single; or in lists; or by names.
const SAME: [&str; 7] = ["not", "if", "then", "else", "$ref", "$dynamicRef", "$recursiveRef"];
const SAME_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const SAME_MAPS: [&str; 2] = ["dependentSchemas", "dependencies"];
/// Schemas that meet parts of it.
const OF_EACH_PROPERTY: [&str; 3] = ["additionalProperties", "unevaluatedProperties", "propertyNames"];
const OF_EACH_ITEM: [&str; 4] = ["items", "additionalItems", "unevaluatedItems", "contains"];
const OF_PLACES: [&str; 2] = ["prefixItems", "items"];

/// # Errors
/// The schema may take more steps than a schema may, asks for itself without end, or has too many patterns.
pub(crate) fn of_schema(schema: &Value) -> Result<(), FieldError> {
    let refused = |message: String| FieldError::new("/configSchema", message);
    let patterns = patterns(schema);
    if patterns > MAX_PATTERNS {
        return Err(refused(format!("has {patterns} patterns; {MAX_PATTERNS} are the most")));
    }
    let mut counter = Counter::new(schema, MAX_SCHEMA_STEPS, MAX_SCHEMA_DEPTH);
    match counter.count(schema, None) {
        Ok(_) => Ok(()),
        Err(Excess::TooMany) => Err(refused(format!("may take more than {MAX_SCHEMA_STEPS} steps to evaluate"))),
        Err(Excess::TooDeep) => Err(refused(format!("is nested deeper than {MAX_SCHEMA_DEPTH}"))),
        Err(Excess::Endless) => Err(refused("asks for itself, without end".to_owned())),
    }
}

/// # Errors
/// To hold the config against the schema would take more steps than a config may.
pub(crate) fn of_config(schema: &Value, config: &Value, pointer: &str) -> Result<(), FieldError> {
    let counted = Counter::new(schema, MAX_CONFIG_STEPS, MAX_CONFIG_DEPTH).count(schema, Some(config));
    counted.map(drop).map_err(|excess| {
        let message = match excess {
            Excess::TooDeep => format!("is nested, with its schema, deeper than {MAX_CONFIG_DEPTH}"),
            _ => format!("takes more than {MAX_CONFIG_STEPS} steps to hold against its schema"),
        };
        FieldError::new(pointer, message)
    })
}

fn patterns(value: &Value) -> usize {
    match value {
        Value::Object(entries) => {
            let named = entries.get("patternProperties").and_then(Value::as_object).map_or(0, Map::len);
            let own = usize::from(entries.get("pattern").is_some_and(Value::is_string));
            named + own + entries.values().map(patterns).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(patterns).sum(),
        _ => 0,
    }
}

/// Why a count ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Excess {
    TooMany,
    TooDeep,
    Endless,
}

/// A schema, and the value that it meets; without a value, one that has everything.
type Pair = (*const Value, Option<*const Value>);

struct Counter<'s> {
    root: &'s Value,
    /// Steps of pairs; `None` while they are counted.
    known: HashMap<Pair, Option<u64>>,
    most: u64,
    deepest: usize,
    /// The schemas on the way to the one that is being counted, and whether each is for a part of the value of the one before.
    way: Vec<(*const Value, bool)>,
}

impl<'s> Counter<'s> {
    fn new(root: &'s Value, most: u64, deepest: usize) -> Self {
        Self { root, known: HashMap::new(), most, deepest, way: Vec::new() }
    }

    fn count(&mut self, schema: &'s Value, value: Option<&Value>) -> Result<u64, Excess> {
        let Value::Object(keywords) = schema else { return Ok(1) };
        let pair: Pair = (schema, value.map(std::ptr::from_ref));
        match self.known.get(&pair) {
            Some(Some(steps)) => return Ok(*steps),
            // Asked for again on the way to itself: for parts of the value that ends with the value, for the same value never.
            Some(None) => {
                // The last step of the way led here; the one before that did so too is where the circle begins, or else the root is.
                let before = &self.way[..self.way.len().saturating_sub(1)];
                let begun = before.iter().rposition(|(on_way, _)| *on_way == pair.0).map_or(0, |place| place + 1);
                let goes_down = self.way[begun..].iter().any(|(_, to_part)| *to_part);
                return if goes_down { Ok(1) } else { Err(Excess::Endless) };
            }
            None => {}
        }
        // Each pair is a step at least.
        if self.known.len() as u64 > self.most {
            return Err(Excess::TooMany);
        }
        self.known.insert(pair, None);
        let steps = self.inside(keywords, value)?;
        self.known.insert(pair, Some(steps));
        Ok(steps)
    }

    fn inside(&mut self, keywords: &'s Map<String, Value>, value: Option<&Value>) -> Result<u64, Excess> {
        let mut total: u64 = 1;
        // To know what is left over, what is beside it is evaluated again.
        let again =
            u64::from(keywords.contains_key("unevaluatedProperties") || keywords.contains_key("unevaluatedItems")) + 1;
        for same in self.same_value(keywords) {
            let steps = self.step(same, value, false)?;
            total = self.sum(total, steps.saturating_mul(again))?;
        }
        for (schema, part) in parts(keywords, value) {
            let steps = self.step(schema, part, true)?;
            total = self.sum(total, steps)?;
        }
        Ok(total)
    }

    fn step(&mut self, schema: &'s Value, value: Option<&Value>, to_part: bool) -> Result<u64, Excess> {
        if self.way.len() >= self.deepest {
            return Err(Excess::TooDeep);
        }
        self.way.push((schema, to_part));
        let steps = self.count(schema, value);
        self.way.pop();
        steps
    }

    fn sum(&self, total: u64, more: u64) -> Result<u64, Excess> {
        let total = total.saturating_add(more);
        if total > self.most { Err(Excess::TooMany) } else { Ok(total) }
    }

    fn same_value(&self, keywords: &'s Map<String, Value>) -> Vec<&'s Value> {
        let single = SAME.iter().filter_map(|key| keywords.get(*key));
        let lists = SAME_LISTS.iter().filter_map(|key| keywords.get(*key)?.as_array()).flatten();
        let maps = SAME_MAPS.iter().filter_map(|key| keywords.get(*key)?.as_object()).flat_map(Map::values);
        let all = single.chain(lists).chain(maps);
        all.filter_map(|schema| match schema {
            // What refers to somewhere else is refused where the schema is compiled.
            Value::String(reference) => self.target(reference),
            other => Some(other),
        })
        .collect()
    }

    fn target(&self, reference: &str) -> Option<&'s Value> {
        match reference.strip_prefix('#') {
            Some(pointer) if pointer.is_empty() || pointer.starts_with('/') => {
                let pointer: Cow<'_, str> = percent_decode_str(pointer).decode_utf8().ok()?;
                self.root.pointer(&pointer)
            }
            Some(name) => named(self.root, name),
            None => named(self.root, reference),
        }
    }
}

/// The schema that calls itself so.
fn named<'s>(value: &'s Value, name: &str) -> Option<&'s Value> {
    match value {
        Value::Object(entries) => {
            let is_it = ["$anchor", "$dynamicAnchor", "$id", "id"].iter().any(|key| {
                let own = entries.get(*key).and_then(Value::as_str);
                own.is_some_and(|own| own.trim_start_matches('#') == name)
            });
            if is_it { Some(value) } else { entries.values().find_map(|inner| named(inner, name)) }
        }
        Value::Array(items) => items.iter().find_map(|inner| named(inner, name)),
        _ => None,
    }
}

/// The schemas inside that meet parts of the value, each with its part.
fn parts<'s, 'v>(keywords: &'s Map<String, Value>, value: Option<&'v Value>) -> Vec<(&'s Value, Option<&'v Value>)> {
    let mut parts = Vec::new();
    let by_name = keywords.get("properties").and_then(Value::as_object);
    let by_pattern = keywords.get("patternProperties").and_then(Value::as_object);
    let of_each: Vec<&Value> = OF_EACH_PROPERTY.iter().filter_map(|key| keywords.get(*key)).collect();
    let of_items: Vec<&Value> =
        OF_EACH_ITEM.iter().filter_map(|key| keywords.get(*key)).filter(|schema| !schema.is_array()).collect();
    let of_places = OF_PLACES.iter().filter_map(|key| keywords.get(*key)?.as_array());
    match value {
        None => {
            let all = by_name.into_iter().chain(by_pattern).flat_map(Map::values).chain(of_each).chain(of_items);
            parts.extend(all.chain(of_places.flatten()).map(|schema| (schema, None)));
        }
        Some(Value::Object(entries)) => {
            for (name, part) in entries {
                parts.extend(by_name.and_then(|names| names.get(name)).map(|schema| (schema, Some(part))));
                // Whether the pattern fits is not asked: this is the most that it can cost.
                parts.extend(by_pattern.into_iter().flat_map(Map::values).map(|schema| (schema, Some(part))));
                parts.extend(of_each.iter().map(|schema| (*schema, Some(part))));
            }
        }
        Some(Value::Array(items)) => {
            for part in items {
                parts.extend(of_items.iter().map(|schema| (*schema, Some(part))));
            }
            for schemas in of_places {
                parts.extend(schemas.iter().zip(items).map(|(schema, part)| (schema, Some(part))));
            }
        }
        Some(_) => {}
    }
    parts
}

#[cfg(test)]
#[path = "schema_cost_tests.rs"]
mod tests;
