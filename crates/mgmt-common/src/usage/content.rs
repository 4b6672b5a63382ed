//! What makes two events with the same id the same event: all that was sent, but the time.

use serde_json::Number;
use sha2::{Digest as _, Sha256};

use crate::json::tree::Tree;

const NULL: &str = "null;";

/// The first 16 bytes of SHA-256 over a list of values, whatever the order of the keys in them was.
pub struct ContentHash(Sha256);

impl ContentHash {
    /// For a list of so many values, each of which follows by one call.
    pub fn of_list(length: usize) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(format!("[{length}:"));
        Self(hasher)
    }

    pub fn text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => feed_text(&mut self.0, text),
            None => self.0.update(NULL),
        }
    }

    pub fn number(&mut self, number: Option<&Number>) {
        match number {
            Some(number) => self.0.update(format!("{number};")),
            None => self.0.update(NULL),
        }
    }

    pub fn value(&mut self, value: Option<&Tree<'_>>) {
        feed(&mut self.0, value.unwrap_or(&Tree::Null));
    }

    pub fn finish(self) -> [u8; 16] {
        let whole: [u8; 32] = self.0.finalize().into();
        let mut half = [0; 16];
        half.copy_from_slice(&whole[..16]);
        half
    }
}

fn feed_text(hasher: &mut Sha256, text: &str) {
    hasher.update(format!("\"{}:", text.len()));
    hasher.update(text);
}

/// Depth is bounded by the reader that made the value.
fn feed(hasher: &mut Sha256, value: &Tree<'_>) {
    match value {
        Tree::Object(fields) => {
            hasher.update(format!("{{{}:", fields.len()));
            for (key, value) in fields {
                hasher.update(format!("{}:{key}", key.len()));
                feed(hasher, value);
            }
        }
        Tree::List(items) => {
            hasher.update(format!("[{}:", items.len()));
            items.iter().for_each(|item| feed(hasher, item));
        }
        Tree::Text(text) => feed_text(hasher, text),
        Tree::Number(digits) => hasher.update(format!("{digits};")),
        Tree::Bool(value) => hasher.update(format!("{value};")),
        Tree::Null => hasher.update(NULL),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn of(text: &str) -> [u8; 16] {
        let mut content = ContentHash::of_list(1);
        let raw: &RawValue = serde_json::from_str(text).unwrap();
        content.value(Some(&Tree::of(raw).unwrap()));
        content.finish()
    }

    #[test]
    fn a_list_is_hashed_alike_as_a_whole_and_in_parts() {
        let raw: &RawValue = serde_json::from_str(r#"["a", null, {"b": [1, 2.5]}, 7, null]"#).unwrap();
        let whole = Tree::of(raw).unwrap();
        let Tree::List(items) = &whole else { panic!("{whole:?}") };
        let mut parts = ContentHash::of_list(5);
        parts.text(Some("a"));
        parts.text(None);
        parts.value(Some(&items[2]));
        parts.number(Some(&7.into()));
        parts.number(None);
        let mut hasher = Sha256::new();
        feed(&mut hasher, &whole);
        assert_eq!(parts.finish(), ContentHash(hasher).finish());
    }

    #[test]
    fn the_order_of_keys_does_not_matter_and_everything_else_does() {
        assert_eq!(of(r#"{"a":1,"b":{"c":2,"d":3}}"#), of(r#"{ "b" : {"d":3,"c":2}, "a": 1 }"#));
        let different = [
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":2}"#,
            r#"{"b":1}"#,
            r#"{"a":[1]}"#,
            r#"{"a":[1,1]}"#,
            r#"{"a":{"1":1}}"#,
            r#"{"a":null}"#,
            "{}",
            "[]",
            "null",
            r#""""#,
            r#"["ab","c"]"#,
            r#"["a","bc"]"#,
            "[[1],2]",
            "[[1,2]]",
            "[1,12]",
            "[11,2]",
            "12345678901234567890123",
            "12345678901234567890124",
            "1.1",
            "1.10",
        ];
        let hashes: std::collections::BTreeSet<_> = different.iter().map(|text| of(text)).collect();
        assert_eq!(hashes.len(), different.len());
    }
}
