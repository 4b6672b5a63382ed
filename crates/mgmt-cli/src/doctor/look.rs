//! The comparison of a database with `db/catalog.json`.

use anyhow::Result;
use tokio_postgres::Client;

use super::catalog::{Catalog, Facts};
use super::compare::{Difference, compare};
use super::cures::cure;
use super::finding::Finding;
use super::observe::{Observed, Viewer, observe};
use crate::migration::files;

/// Kinds of which a database may have more than ours without being broken: `mgmt migrate` says so and succeeds.
const OF_OTHERS: [&str; 2] = ["policy", "index"];

/// Kinds whose objects run code when rows are read or written.
pub(super) const RUNS_CODE: [&str; 11] = [
    "table",
    "column",
    "sequence",
    "constraint",
    "index",
    "trigger",
    "rule",
    "policy",
    "function",
    "child",
    "event trigger",
];
/// Those of them whose objects run code when rows are read past row-level security: something else has a table's place.
pub(super) const RUNS_CODE_WHEN_READ: [&str; 4] = ["table", "sequence", "rule", "child"];

/// Every object that is not as in a freshly migrated database.
pub(crate) async fn look(client: &Client) -> Result<Vec<Finding>> {
    let observed = observe(client).await?;
    findings(&observed)
}

pub(super) fn findings(observed: &Observed) -> Result<Vec<Finding>> {
    let expected = expected(observed)?;
    let differences = compare(&expected, &observed.catalog);
    Ok(differences.iter().map(|difference| finding(difference, &observed.viewer)).collect())
}

/// The catalog as it should be in this database: with its months, and without grants to a role that only Supabase has.
fn expected(observed: &Observed) -> Result<Catalog> {
    let mut months = observed.catalog.months();
    months.extend(observed.viewer.months.iter().cloned());
    let mut expected = Catalog::parse(files::catalog()?)?.with_months(&months);
    if !observed.viewer.has_service_role {
        expected.0.values_mut().for_each(|objects| objects.retain(|object, _| !object.ends_with(" to service_role")));
    }
    Ok(expected)
}

fn finding(difference: &Difference, viewer: &Viewer) -> Finding {
    let (found, expected) = match (&difference.found, &difference.expected) {
        (None, Some(_)) => ("missing".to_owned(), "exists".to_owned()),
        (Some(found), None) => {
            let expected = match difference.kind.as_str() {
                "view" => "reads our tables as: its caller",
                "definer function" => "runs as: its caller",
                "event trigger" => "disabled",
                _ => "does not exist",
            };
            (told(found, found.keys().map(String::as_str)), expected.to_owned())
        }
        (Some(found), Some(expected)) => {
            let names = difference.differing();
            (told(found, names.iter().copied()), told(expected, names.iter().copied()))
        }
        (None, None) => (String::new(), String::new()),
    };
    let found = if found.is_empty() { "exists".to_owned() } else { found };
    let mut finding =
        Finding::new(&difference.kind, named(&difference.object, viewer), found, expected, cure(difference, viewer));
    let is_supabase_s = difference.kind == "default privilege" && difference.object.contains(" in public: ");
    finding.is_of_others =
        difference.expected.is_none() && (is_supabase_s || OF_OTHERS.contains(&difference.kind.as_str()));
    finding
}

fn told<'a>(facts: &Facts, names: impl Iterator<Item = &'a str>) -> String {
    let value = |name: &str| facts.get(name).filter(|value| !value.is_empty()).map_or("none", String::as_str);
    let parts = names.map(|name| format!("{name}: {}", value(name)));
    parts.collect::<Vec<_>>().join("; ")
}

fn named(object: &str, viewer: &Viewer) -> String {
    object.replace("(owner)", &viewer.owner).replace("(database)", &viewer.database)
}
