//! Objects as the catalog names them, taken apart. Names are quoted where SQL wants it, and a quoted name may hold any character.

use super::catalog::Facts;

/// Runs every schema file again; each of them says how things are to be.
pub(super) const AGAIN: &str = "mgmt migrate --again";

/// `public.t: name` as table and name.
pub(super) fn parts(object: &str) -> (&str, &str) {
    first(object, ": ").unwrap_or((object, object))
}

/// `public.t.column` as table and column.
pub(super) fn table_and_column(object: &str) -> (&str, &str) {
    last(object, ".").unwrap_or((object, object))
}

/// `member in role`.
pub(super) fn member_and_role(object: &str) -> (&str, &str) {
    first(object, " in ").unwrap_or((object, object))
}

/// Before and after the first separator that is in no quotes.
pub(super) fn first<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let at = unquoted(text, separator).next()?;
    Some((&text[..at], &text[at + separator.len()..]))
}

/// Before and after the last separator that is in no quotes.
pub(super) fn last<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let at = unquoted(text, separator).last()?;
    Some((&text[..at], &text[at + separator.len()..]))
}

/// A quote inside a quoted name is doubled, which ends the name and begins it again at once.
fn unquoted(text: &str, separator: &str) -> impl Iterator<Item = usize> {
    let places = text.match_indices(separator).map(|(at, _)| at);
    places.filter(|at| text[..*at].matches('"').count().is_multiple_of(2))
}

pub(super) fn fact<'a>(facts: &'a Facts, name: &str) -> &'a str {
    facts.get(name).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::{member_and_role, parts, table_and_column};

    #[test]
    fn a_separator_inside_quotes_separates_nothing() {
        assert_eq!(parts(r#"public."a: b": "c: d""#), (r#"public."a: b""#, r#""c: d""#));
        assert_eq!(table_and_column(r#"public.t."a.b""#), ("public.t", r#""a.b""#));
        assert_eq!(table_and_column(r#"public.t."a"".b""#), ("public.t", r#""a"".b""#));
        assert_eq!(member_and_role(r#""one in two" in three"#), (r#""one in two""#, "three"));
    }
}
