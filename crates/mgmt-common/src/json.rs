//! Request bodies: strict JSON into a type, with errors that say where.
//!
//! serde_json keeps the last of two equal keys in free-form objects and Postgres' jsonb cannot hold NUL characters, so
//! every body is walked once before it becomes a type. Free-form parts stay `RawValue`: stored and returned verbatim.

use std::collections::BTreeSet;
use std::fmt;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::error::{Error, Result};
use crate::field_error::FieldError;

/// A JSON request body: an object of type `T`.
///
/// # Errors
/// 415 without a JSON content type; 400 for bad UTF-8, bad JSON, nesting beyond 128, duplicate keys, NUL characters,
/// numbers out of range, unknown fields and wrong types, each with its position or pointer.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        if !is_json(request.headers()) {
            return Err(Error::UnsupportedMediaType);
        }
        let body = axum::body::to_bytes(request.into_body(), usize::MAX).await;
        parse(&body.map_err(|error| Error::malformed(format!("the body cannot be read: {error}")))?).map(Self)
    }
}

/// A body that a handler took as bytes, because it may be absent; [`Json`] otherwise.
///
/// # Errors
/// As [`Json`].
pub fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T> {
    if is_json(headers) { parse(body) } else { Err(Error::UnsupportedMediaType) }
}

/// Parses a whole document; [`Json`] without HTTP.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Error::malformed(format!("the body is not UTF-8 from byte {} on", error.valid_up_to())))?;
    check(text)?;
    // serde would fill a struct from a list by position.
    if !text.trim_start().starts_with('{') {
        return Err(Error::malformed("the body must be a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer_of(error.path());
        let message = error.into_inner().to_string();
        Error::Malformed {
            detail: format!("the body does not fit: {message}"),
            errors: vec![FieldError::new(pointer, message)],
        }
    })
}

/// Walks a document without keeping it: syntax, depth, duplicate keys, NUL characters.
fn check(text: &str) -> Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let walked = Walk.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    walked.map_err(|error| Error::malformed(format!("the body is not acceptable JSON: {error}")))
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

fn is_json(headers: &HeaderMap) -> bool {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => String::new(),
        })
        .collect()
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
