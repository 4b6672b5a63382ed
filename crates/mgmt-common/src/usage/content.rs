//! What makes two events with the same id the same event: all that was sent, but the time.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The first 16 bytes of SHA-256 over a value, whatever the order of its keys was.
pub fn hash(content: &Value) -> [u8; 16] {
    let mut hasher = Sha256::new();
    feed(&mut hasher, content);
    let whole: [u8; 32] = hasher.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    half
}

/// Depth is bounded by the parser that made the value.
fn feed(hasher: &mut Sha256, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(key, _)| key.as_str());
            hasher.update(format!("{{{}:", fields.len()));
            for (key, value) in fields {
                hasher.update(format!("{}:{key}", key.len()));
                feed(hasher, value);
            }
        }
        Value::Array(items) => {
            hasher.update(format!("[{}:", items.len()));
            items.iter().for_each(|item| feed(hasher, item));
        }
        Value::String(text) => hasher.update(format!("\"{}:{text}", text.len())),
        scalar => hasher.update(format!("{scalar};")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> [u8; 16] {
        hash(&serde_json::from_str(text).unwrap())
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
        ];
        let hashes: std::collections::BTreeSet<_> = different.iter().map(|text| of(text)).collect();
        assert_eq!(hashes.len(), different.len());
    }
}
