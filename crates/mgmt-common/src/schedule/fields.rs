//! Reading a JSON object so that every fault is found at once.

use std::collections::BTreeSet;

use module_mgmt_protocol::field_error::{FieldError, join};
use serde_json::{Map, Value};

/// One object being read: collects faults, knows which fields were asked for, and refuses the rest at the end.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    pointer: &'a str,
    known: BTreeSet<&'static str>,
}

/// One field that is present.
pub(super) struct Found<'a> {
    pub(super) value: &'a Value,
    /// JSON pointer with the spelling that the sender used.
    pub(super) pointer: String,
}

impl<'a> Fields<'a> {
    /// Begins to read `value`, which sits at `pointer`. `None`, and one fault, if it is not an object.
    pub(super) fn of(value: &'a Value, pointer: &'a str, errors: &mut Vec<FieldError>) -> Option<Self> {
        let Value::Object(map) = value else {
            errors.push(FieldError::new(pointer, format!("must be an object, not {}", kind(value))));
            return None;
        };
        Some(Self { map, pointer, known: BTreeSet::new() })
    }

    /// The field under its one spelling.
    pub(super) fn optional(&mut self, name: &'static str) -> Option<Found<'a>> {
        self.known.insert(name);
        self.map.get(name).map(|value| Found { value, pointer: join(self.pointer, name) })
    }

    /// The field under its stored (snake_case) or its camelCase spelling; both at once is a fault.
    pub(super) fn optional_in_two_spellings(
        &mut self,
        snake: &'static str,
        camel: &'static str,
        errors: &mut Vec<FieldError>,
    ) -> Option<Found<'a>> {
        let (stored, sent) = (self.optional(snake), self.optional(camel));
        if let (Some(_), Some(twice)) = (&stored, &sent) {
            errors.push(FieldError::new(
                twice.pointer.clone(),
                format!("is the same field as `{snake}`; send only one of the two spellings"),
            ));
        }
        stored.or(sent)
    }

    /// Reports a required field that is absent.
    pub(super) fn missing(&self, name: &str, errors: &mut Vec<FieldError>) {
        errors.push(FieldError::new(join(self.pointer, name), "is required"));
    }

    /// Ends reading: every field that nobody asked for is a fault.
    pub(super) fn refuse_the_rest(self, errors: &mut Vec<FieldError>) {
        for name in self.map.keys().filter(|name| !self.known.contains(name.as_str())) {
            let near = self
                .known
                .iter()
                .map(|known| (strsim::osa_distance(known, name), known))
                .min()
                .filter(|(distance, known)| *distance <= known.len() / 3);
            let hint = near.map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"));
            errors.push(FieldError::new(join(self.pointer, name), format!("is not a known field{hint}")));
        }
    }
}

impl Found<'_> {
    pub(super) fn boolean(&self, errors: &mut Vec<FieldError>) -> Option<bool> {
        let found = self.value.as_bool();
        if found.is_none() {
            errors.push(self.fault(format!("must be true or false, not {}", kind(self.value))));
        }
        found
    }

    pub(super) fn text(&self, errors: &mut Vec<FieldError>) -> Option<&str> {
        let found = self.value.as_str();
        if found.is_none() {
            errors.push(self.fault(format!("must be a string, not {}", kind(self.value))));
        }
        found
    }

    pub(super) fn list(&self, errors: &mut Vec<FieldError>) -> Option<&[Value]> {
        let found = self.value.as_array();
        if found.is_none() {
            errors.push(self.fault(format!("must be a list, not {}", kind(self.value))));
        }
        found.map(Vec::as_slice)
    }

    /// A whole number from 1 to `largest`. `5.0` is not one: what is stored must read the same in every language.
    pub(super) fn number_up_to(&self, largest: u16, errors: &mut Vec<FieldError>) -> Option<u16> {
        let found = self.value.as_u64().and_then(|number| u16::try_from(number).ok());
        let found = found.filter(|number| (1..=largest).contains(number));
        if found.is_none() {
            errors.push(self.fault(format!("must be a whole number from 1 to {largest}, not {}", self.value)));
        }
        found
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> FieldError {
        FieldError::new(self.pointer.clone(), message)
    }
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
