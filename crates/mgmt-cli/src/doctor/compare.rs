//! Two catalogs beside each other: what is missing, what is too much, what is otherwise.

use std::collections::BTreeSet;

use super::catalog::{Catalog, Facts};
use super::names::{fact, parts, table_and_column};

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
        let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
        names.into_iter().filter(|name| expected.get(*name) != found.get(*name)).map(String::as_str).collect()
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
    let follows: Vec<bool> =
        differences.iter().map(|effect| differences.iter().any(|cause| follows(effect, cause))).collect();
    differences.into_iter().zip(follows).filter(|(_, follows)| !follows).map(|(difference, _)| difference).collect()
}

fn follows(effect: &Difference, cause: &Difference) -> bool {
    // Numbers of an identity come from its sequence.
    if cause.kind == "column" && effect.kind == "sequence" && effect.found.is_none() {
        return effect.expected.as_ref().is_some_and(|facts| fact(facts, "of") == cause.object);
    }
    // A view in a table's place has nothing that the table has.
    let is_replaced = cause.kind == "table" && cause.differing().contains(&"sort");
    if !cause.is_whole() && !is_replaced {
        return false;
    }
    match (cause.kind.as_str(), effect.kind.as_str()) {
        (cause, effect) if cause == effect => false,
        ("table", "index") => is_index_of(effect, &cause.object),
        // Its columns, grants, constraints and triggers.
        ("table" | "column" | "function" | "role" | "sequence", _) => part_of(&effect.object, &cause.object),
        ("constraint", "index") => is_index_of_key(effect, cause),
        // The triggers that check it.
        ("constraint", "foreign key") => effect.object == cause.object,
        _ => false,
    }
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

/// A key has an index of its own name, which comes and goes with it.
fn is_index_of_key(index: &Difference, constraint: &Difference) -> bool {
    let facts = constraint.expected.as_ref().or(constraint.found.as_ref());
    let definition = facts.map_or("", |facts| fact(facts, "definition"));
    ["PRIMARY KEY", "UNIQUE", "EXCLUDE"].iter().any(|key| definition.starts_with(key))
        && constraint.expected.is_none() == index.expected.is_none()
        && table_and_column(&index.object).1 == parts(&constraint.object).1
}
