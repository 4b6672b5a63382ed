//! An event as it came. One pass over its text finds every field and every fault of its shape, so that a sender is told all at once.

use std::borrow::Cow;
use std::fmt;

use module_mgmt_protocol::field_error::{self, FieldError};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_json::value::RawValue;

use crate::json::tree::Tree;

/// The fields of an event, not yet checked.
#[derive(Debug, Default)]
pub struct SentEvent<'a> {
    pub id: Field<'a>,
    pub event_type: Field<'a>,
    pub module_name: Field<'a>,
    pub event_action: Field<'a>,
    pub metadata: Option<Metadata<'a>>,
    pub endpoint: Field<'a>,
    pub http_method: Field<'a>,
    pub duration_ms: Field<'a>,
    pub status: Field<'a>,
    pub error_code: Field<'a>,
    pub error_message: Field<'a>,
    pub occurred_at: Field<'a>,
    /// Unknown fields, repeated ones, and metadata that cannot be stored.
    pub faults: Vec<FieldError>,
}

/// Free JSON of the sender, which is kept as it was sent.
#[derive(Debug, Clone)]
pub struct Metadata<'a> {
    pub raw: &'a RawValue,
    /// The same taken apart, for its content.
    pub tree: Tree<'a>,
}

/// What a field holds; null is as good as absent.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum Field<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Number(Number),
    /// A list, an object or a truth value, which no field takes.
    Other,
}

impl<'a> SentEvent<'a> {
    /// Reads an event from JSON.
    ///
    /// # Errors
    /// One sentence with the position, when the text is no JSON object.
    pub fn read(raw: &'a str) -> Result<Self, String> {
        serde_json::from_str(raw).map_err(|error| format!("the event is not acceptable JSON: {error}"))
    }

    /// The field of a name in either spelling, and its name in the API.
    fn field(&mut self, key: &str) -> Option<(&'static str, &mut Field<'a>)> {
        Some(match key {
            "id" => ("/id", &mut self.id),
            "eventType" | "event_type" => ("/eventType", &mut self.event_type),
            "moduleName" | "module_name" => ("/moduleName", &mut self.module_name),
            "eventAction" | "event_action" => ("/eventAction", &mut self.event_action),
            "endpoint" => ("/endpoint", &mut self.endpoint),
            "httpMethod" | "http_method" => ("/httpMethod", &mut self.http_method),
            "durationMs" | "duration_ms" => ("/durationMs", &mut self.duration_ms),
            "status" => ("/status", &mut self.status),
            "errorCode" | "error_code" => ("/errorCode", &mut self.error_code),
            "errorMessage" | "error_message" => ("/errorMessage", &mut self.error_message),
            "occurredAt" | "occurred_at" => ("/occurredAt", &mut self.occurred_at),
            _ => return None,
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for SentEvent<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EventVisitor(SentEvent::default()))
    }
}

struct EventVisitor<'a>(SentEvent<'a>);

impl<'de: 'a, 'a> Visitor<'de> for EventVisitor<'a> {
    type Value = SentEvent<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a usage event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<SentEvent<'a>, A::Error> {
        let mut event = self.0;
        // Of each field that was seen, null too: a second one is a fault.
        let mut seen: Vec<&'static str> = Vec::with_capacity(12);
        while let Some(Text(key)) = entries.next_key::<Text<'_>>()? {
            let pointer = if key == "metadata" {
                let raw: &RawValue = entries.next_value()?;
                match Tree::of(raw) {
                    Ok(Tree::Null) => event.metadata = None,
                    Ok(tree) => event.metadata = Some(Metadata { raw, tree }),
                    Err(fault) => event.faults.push(FieldError::new("/metadata", fault)),
                }
                "/metadata"
            } else if let Some((pointer, field)) = event.field(&key) {
                *field = entries.next_value()?;
                pointer
            } else {
                entries.next_value::<IgnoredAny>()?;
                let named: String = key.chars().take(200).collect();
                let pointer = field_error::join("", &named);
                event.faults.push(FieldError::new(pointer, "is no field of an event: unknown field"));
                continue;
            };
            if seen.contains(&pointer) {
                event.faults.push(FieldError::new(pointer, "occurs twice: duplicate field"));
            }
            seen.push(pointer);
        }
        Ok(event)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Field<'de>, E> {
        Ok(Field::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Field<'de>, E> {
        Ok(Field::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Field<'de>, E> {
        Ok(Number::from_f64(number).map_or(Field::Other, Field::Number))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Field<'de>, E> {
        Ok(Field::Other)
    }

    fn visit_unit<E>(self) -> Result<Field<'de>, E> {
        Ok(Field::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Field<'de>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Field<'de>, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }
}

/// A key, borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
