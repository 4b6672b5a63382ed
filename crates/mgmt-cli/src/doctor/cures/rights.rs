//! Statements about grants, roles and settings.

use super::super::catalog::Facts;
use super::super::names::{fact, first, last, parts};

/// `public.t: SELECT to role`. Nothing if the kind is no kind of grant.
pub(super) fn grant(kind: &str, object: &str, verb: &str, preposition: &str) -> Option<String> {
    let kind = kind.strip_suffix(" grant")?;
    let (on, right) = last(object, ": ")?;
    let (privilege, role) = first(right, " to ")?;
    let role = match role {
        "its owner" if on == "public.platform_module_usage" || on.starts_with("module_mgmt_usage.") => {
            "module_mgmt_definer"
        }
        "its owner" => "(owner)",
        other => other,
    };
    Some(match (kind, last(on, ".")) {
        ("column", Some((table, column))) => format!("{verb} {privilege} ({column}) on {table} {preposition} {role};"),
        _ => format!("{verb} {privilege} on {kind} {on} {preposition} {role};"),
    })
}

/// `role: name`, `role in this database: name` or `this database: name`.
pub(super) fn set(object: &str, value: Option<&str>) -> String {
    let (whose, name) = parts(object);
    let whose = match first(whose, " in this database") {
        Some((role, _)) => format!("role {role} in database (database)"),
        None if whose == "this database" => "database (database)".to_owned(),
        None => format!("role {whose}"),
    };
    match value {
        Some(value) => format!("alter {whose} set {name} = {};", value_of(name, value)),
        None => format!("alter {whose} reset {name};"),
    }
}

/// A path is a list of names, everything else a text.
pub(super) fn value_of(name: &str, value: &str) -> String {
    if name == "search_path" { value.to_owned() } else { format!("'{}'", value.replace('\'', "''")) }
}

pub(super) fn keywords(expected: &Facts, differing: &[&str]) -> String {
    let keyword = |name: &str| match name {
        "logs in" => "login",
        "inherits" => "inherit",
        "bypasses row security" => "bypassrls",
        "makes roles" => "createrole",
        "makes databases" => "createdb",
        "replicates" => "replication",
        _ => "superuser",
    };
    let words = differing.iter().map(|name| {
        let no = if fact(expected, name) == "yes" { "" } else { "no" };
        format!(" {no}{}", keyword(name))
    });
    words.collect()
}
