//! Free JSON taken apart without changing anything in it: numbers stay the digits that were sent, of which another reading would make the
//! nearest double.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::number;

/// As deep as the reader of whole bodies goes.
const MAX_DEPTH: u8 = 127;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree<'a> {
    Null,
    Bool(bool),
    /// As it was sent.
    Number(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Tree<'a>>),
    /// Sorted by key.
    Object(Vec<(Cow<'a, str>, Tree<'a>)>),
}

impl<'a> Tree<'a> {
    /// # Errors
    /// What Postgres could not keep as it was sent, or not cheaply: a key that occurs twice in one object, the NUL character, half a
    /// character, nesting beyond 127, a number of more than 100 digits.
    pub fn of(raw: &'a RawValue) -> Result<Self, String> {
        let mut reader = Reader { json: raw.get(), at: 0 };
        reader.value(0)
    }
}

/// Reads JSON that is known to be well-formed, which a [`RawValue`] is.
struct Reader<'a> {
    json: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next byte that is no space, or 0 at the end.
    fn peek(&mut self) -> u8 {
        let bytes = self.json.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        bytes.get(self.at).copied().unwrap_or(0)
    }

    /// Moves behind the byte if it comes next.
    fn skip(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == byte;
        self.at += usize::from(is_next);
        is_next
    }

    fn value(&mut self, depth: u8) -> Result<Tree<'a>, String> {
        if depth > MAX_DEPTH {
            return Err(format!("is nested deeper than {MAX_DEPTH}"));
        }
        match self.peek() {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => self.text().map(Tree::Text),
            b't' => Ok(self.word(4, Tree::Bool(true))),
            b'f' => Ok(self.word(5, Tree::Bool(false))),
            b'n' => Ok(self.word(4, Tree::Null)),
            _ => self.number(),
        }
    }

    fn word(&mut self, length: usize, value: Tree<'a>) -> Tree<'a> {
        self.at += length;
        value
    }

    fn number(&mut self) -> Result<Tree<'a>, String> {
        let (start, end) = (self.at, number::end_of_number(self.json.as_bytes(), self.at));
        // Something always is consumed, or a reader that is given no JSON would never end.
        self.at = end.max(start + 1);
        let digits = self.json.get(start..end).unwrap_or_default();
        if number::is_oversized(digits) {
            return Err(format!("holds a number of more than {} digits", number::MAX_DIGITS));
        }
        Ok(Tree::Number(digits))
    }

    fn text(&mut self) -> Result<Cow<'a, str>, String> {
        let (start, end) = (self.at, number::end_of_text(self.json.as_bytes(), self.at));
        self.at = end;
        let quoted = self.json.get(start..end).unwrap_or_default();
        if !quoted.contains('\\') {
            return Ok(Cow::Borrowed(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default()));
        }
        let text: String =
            serde_json::from_str(quoted).map_err(|error| format!("holds a text that is none: {error}"))?;
        if text.contains('\0') { Err("holds the NUL character".to_owned()) } else { Ok(Cow::Owned(text)) }
    }

    fn list(&mut self, depth: u8) -> Result<Tree<'a>, String> {
        self.at += 1;
        let mut items = Vec::new();
        while !self.skip(b']') && self.at < self.json.len() {
            items.push(self.value(depth + 1)?);
            self.skip(b',');
        }
        Ok(Tree::List(items))
    }

    fn object(&mut self, depth: u8) -> Result<Tree<'a>, String> {
        self.at += 1;
        let mut entries = Vec::new();
        while !self.skip(b'}') && self.at < self.json.len() {
            let key = self.text()?;
            self.skip(b':');
            entries.push((key, self.value(depth + 1)?));
            self.skip(b',');
            // The next key, if there is one, begins here.
            self.peek();
        }
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        match entries.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            None => Ok(Tree::Object(entries)),
            Some(twice) => {
                let key: String = twice[0].0.chars().take(100).collect();
                Err(format!("has the key {key:?} twice in one object"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn tree(json: &str) -> Result<String, String> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        Tree::of(raw).map(|tree| format!("{tree:?}"))
    }

    fn value(tree: &Tree<'_>) -> Value {
        match tree {
            Tree::Null => Value::Null,
            Tree::Bool(value) => Value::Bool(*value),
            Tree::Number(digits) => serde_json::from_str(digits).unwrap(),
            Tree::Text(text) => Value::String(text.to_string()),
            Tree::List(items) => items.iter().map(value).collect(),
            Tree::Object(entries) => entries.iter().map(|(key, item)| (key.to_string(), value(item))).collect(),
        }
    }

    #[test]
    fn numbers_stay_as_they_were_sent_and_keys_are_sorted() {
        assert_eq!(
            tree(r#" { "b" : [ 12345678901234567890123 , 1.10 ] , "a" : {} , "é\u00e9": [] } "#).unwrap(),
            r#"Object([("a", Object([])), ("b", List([Number("12345678901234567890123"), Number("1.10")])), ("éé", List([]))])"#
        );
    }

    #[test]
    fn what_postgres_cannot_keep_is_told() {
        for (json, fault) in [
            (r#"{"a":{"b":1,"b":2}}"#, "has the key \"b\" twice in one object"),
            (r#"{"a":1,"\u0061":2}"#, "has the key \"a\" twice in one object"),
            (r#"["\u0000"]"#, "holds the NUL character"),
            (r#"{"\u0000":1}"#, "holds the NUL character"),
            ("[1e-16383]", "holds a number of more than 100 digits"),
        ] {
            assert_eq!(tree(json).unwrap_err(), fault, "{json}");
        }
        assert!(tree(r#"["\ud800"]"#).unwrap_err().starts_with("holds a text that is none"));
        let nested = |depth: usize| tree(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
        assert_eq!(nested(129).unwrap_err(), "is nested deeper than 127");
        assert!(nested(128).is_ok());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>()
                .prop_filter("short", |number| number.abs() < 1e50 && number.abs() > 1e-50)
                .prop_map(Value::from),
            any::<String>().prop_filter("no NUL", |text| !text.contains('\0')).prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[^\0]{0,5}", inner, 0..6)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_reads_as_serde_reads_it(sent in any_json(), pretty in any::<bool>()) {
            let json = if pretty { serde_json::to_string_pretty(&sent).unwrap() } else { sent.to_string() };
            let raw: &RawValue = serde_json::from_str(&json).unwrap();
            let read = value(&Tree::of(raw).unwrap());
            prop_assert_eq!(read, serde_json::from_str::<Value>(&json).unwrap());
        }
    }
}
