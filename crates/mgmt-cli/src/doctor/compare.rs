//! Two catalogs beside each other: what is missing, what is too much, what is otherwise.

use std::collections::BTreeSet;

use super::catalog::{Catalog, Facts};

/// One object that is not as it should be.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) kind: String,
    pub(super) object: String,
    /// Nothing: the object should not exist.
    pub(super) expected: Option<Facts>,
    /// Nothing: the object does not exist.
    pub(super) found: Option<Facts>,
}

impl Difference {
    /// The names of the facts that differ.
    pub(super) fn differing(&self) -> Vec<&str> {
        let (Some(expected), Some(found)) = (&self.expected, &self.found) else { return Vec::new() };
        expected.keys().filter(|name| expected.get(*name) != found.get(*name)).map(String::as_str).collect()
    }

    fn is_whole(&self) -> bool {
        self.expected.is_none() || self.found.is_none()
    }
}

/// Tables of the old system keep what it allowed: there, these two columns take nulls.
const NULLABLE_IN_THE_OLD_SYSTEM: [&str; 2] =
    ["public.platform_lambda_config.created_at", "public.platform_lambda_config.updated_at"];

/// Differences in the order of kind and object. What follows from another difference is left out: a table that is missing has no columns.
pub(super) fn compare(expected: &Catalog, found: &Catalog) -> Vec<Difference> {
    let mut differences = Vec::new();
    let keys = expected.iter().chain(found.iter()).map(|(kind, object, _)| (kind, object));
    for (kind, object) in keys.collect::<BTreeSet<_>>() {
        let (mut wanted, is) = (expected.get(kind, object).cloned(), found.get(kind, object).cloned());
        if kind == "column"
            && NULLABLE_IN_THE_OLD_SYSTEM.contains(&object)
            && let Some(wanted) = &mut wanted
        {
            wanted.insert(
                "not null".to_owned(),
                is.as_ref().and_then(|is| is.get("not null")).cloned().unwrap_or_default(),
            );
        }
        if wanted != is {
            differences.push(Difference {
                kind: kind.to_owned(),
                object: object.to_owned(),
                expected: wanted,
                found: is,
            });
        }
    }
    without_consequences(differences)
}

fn without_consequences(differences: Vec<Difference>) -> Vec<Difference> {
    let whole: Vec<(String, String)> = differences
        .iter()
        .filter(|difference| difference.is_whole())
        .map(|difference| (difference.kind.clone(), difference.object.clone()))
        .collect();
    let follows = |difference: &Difference| {
        whole.iter().any(|(kind, object)| match (kind.as_str(), difference.kind.as_str()) {
            (cause, effect) if cause == effect => false,
            ("table", "index") => is_index_of(difference, object),
            // Its columns, grants, constraints and triggers.
            ("table" | "column" | "function" | "role" | "sequence", _) => part_of(&difference.object, object),
            // The index of a key, and the triggers of a foreign key.
            ("constraint", "index") => own_name(object) == own_name(&difference.object),
            ("constraint", "foreign key") => *object == difference.object,
            _ => false,
        })
    };
    let (consequences, causes): (Vec<_>, Vec<_>) = differences.into_iter().partition(follows);
    drop(consequences);
    causes
}

fn is_index_of(difference: &Difference, table: &str) -> bool {
    let facts = difference.expected.iter().chain(&difference.found);
    facts.filter_map(|facts| facts.get("definition")).any(|text| text.contains(&format!(" ON {table} ")))
}

/// `public.t: name`, `public.t.column` and `public.t` itself are part of `public.t`; `role: setting` and `role in other` of `role`.
fn part_of(object: &str, whole: &str) -> bool {
    object
        .strip_prefix(whole)
        .is_some_and(|rest| rest.is_empty() || [".", ":", " "].iter().any(|next| rest.starts_with(next)))
}

/// `name` of `public.t: name` and of `public.name`.
fn own_name(object: &str) -> &str {
    object.rsplit([' ', '.']).next().unwrap_or(object)
}
