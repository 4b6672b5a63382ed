//! Strict JSON into a type, with errors that say where.
//!
//! serde_json keeps the last of two equal keys in free-form objects and Postgres' jsonb cannot hold NUL characters, so
//! every document is walked once before it becomes a type. Free-form parts stay `RawValue`: stored and returned verbatim.

pub mod number;
pub mod tree;

use std::collections::BTreeSet;
use std::fmt;

use module_mgmt_protocol::field_error::{self, FieldError};
use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Why a document is no `T`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct JsonError {
    /// One sentence with the position or the field.
    pub detail: String,
    /// The field that does not fit, where the document is JSON at all.
    pub field: Option<FieldError>,
}

impl JsonError {
    fn new(detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), field: None }
    }
}

/// Parses a whole document: an object of type `T`.
///
/// # Errors
/// Bad UTF-8, bad JSON, nesting beyond 128, duplicate keys, NUL characters, numbers of more than 100 digits, unknown fields and wrong
/// types, each with its position or pointer.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, JsonError> {
    let text = std::str::from_utf8(body).map_err(not_utf8)?;
    check(text)?;
    typed(text)
}

/// Parses a document whose parts are read one by one later: what [`parse`] checks inside of them is theirs to check.
///
/// # Errors
/// As [`parse`], for the document's own fields.
pub fn parse_shallow<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, JsonError> {
    typed(text)
}

/// A body that is no text.
pub fn not_utf8(error: std::str::Utf8Error) -> JsonError {
    JsonError::new(format!("the body is not UTF-8 from byte {} on", error.valid_up_to()))
}

fn typed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, JsonError> {
    // serde would fill a struct from a list by position.
    if !text.trim_start().starts_with('{') {
        return Err(JsonError::new("the body must be a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer_of(error.path());
        let message = error.into_inner().to_string();
        let detail = format!("the body does not fit: {message}");
        JsonError { detail, field: Some(FieldError::new(pointer, message)) }
    })?;
    deserializer.end().map_err(|error| JsonError::new(format!("the body is not acceptable JSON: {error}")))?;
    Ok(parsed)
}

/// Walks a document without keeping it: syntax, depth, duplicate keys, NUL characters.
fn check(text: &str) -> Result<(), JsonError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let walked = Walk.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    walked.map_err(|error| JsonError::new(format!("the body is not acceptable JSON: {error}")))?;
    match number::first_oversized(text) {
        None => Ok(()),
        Some(at) => {
            let (line, column) =
                (text[..at].matches('\n').count() + 1, at - text[..at].rfind('\n').map_or(0, |end| end + 1) + 1);
            let detail = format!("a number of more than {} digits at line {line} column {column}", number::MAX_DIGITS);
            Err(JsonError::new(format!("the body is not acceptable JSON: {detail}")))
        }
    }
}

struct Walk;

impl<'de> DeserializeSeed<'de> for Walk {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if text.contains('\0') { Err(E::custom("a text holds the NUL character")) } else { Ok(()) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Walk)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            Walk.visit_str::<A::Error>(&key)?;
            entries.next_value_seed(Walk)?;
            if let Some(twice) = seen.replace(key) {
                return Err(A::Error::custom(format!("the key \"{twice}\" occurs twice in one object")));
            }
        }
        Ok(())
    }
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => field_error::join("", key),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => String::new(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
