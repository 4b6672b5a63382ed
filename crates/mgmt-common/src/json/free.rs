//! Free JSON as it is kept: a value of which Postgres can hold every part, and one meaning.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads any JSON and notes the first thing that is wrong with it: a key that occurs twice in one object, or the NUL character. The
/// reading goes on, so that the fault is one of this value and not of the document around it.
pub struct FreeJson<'f> {
    pub fault: &'f mut Option<String>,
}

impl FreeJson<'_> {
    fn note(&mut self, fault: impl FnOnce() -> String) {
        self.fault.get_or_insert_with(fault);
    }

    fn text(&mut self, text: &str) {
        if text.contains('\0') {
            self.note(|| "a text holds the NUL character".to_owned());
        }
    }
}

impl<'de> DeserializeSeed<'de> for FreeJson<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FreeJson<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(mut self, text: &str) -> Result<Value, E> {
        self.text(text);
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(mut self, text: String) -> Result<Value, E> {
        self.text(&text);
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(FreeJson { fault: self.fault })? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = BTreeMap::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.text(&key);
            let value = entries.next_value_seed(FreeJson { fault: self.fault })?;
            match object.entry(key) {
                Entry::Vacant(place) => drop(place.insert(value)),
                Entry::Occupied(twice) => self.note(|| format!("the key {:?} occurs twice in one object", twice.key())),
            }
        }
        Ok(Value::Object(object.into_iter().collect::<Map<_, _>>()))
    }
}
