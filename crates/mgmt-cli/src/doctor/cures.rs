//! The statement that makes an object as it should be, or the command that does.

use super::catalog::Facts;
use super::compare::Difference;
use super::observe::Viewer;

/// Runs every schema file again; each of them says how things are to be.
const AGAIN: &str = "mgmt migrate --again";

/// Names in the difference are quoted as SQL wants them, so that a cure can be pasted.
pub(super) fn cure(difference: &Difference, viewer: &Viewer) -> String {
    let object = difference.object.as_str();
    let statement = match (&difference.expected, &difference.found) {
        (None, Some(found)) => removed(&difference.kind, object, found),
        (Some(expected), None) => made(&difference.kind, object, expected),
        (Some(expected), Some(found)) => changed(&difference.kind, object, expected, found, &difference.differing()),
        (None, None) => String::new(),
    };
    statement.replace("(owner)", &viewer.owner).replace("(database)", &viewer.database)
}

fn removed(kind: &str, object: &str, found: &Facts) -> String {
    let (of, name) = parts(object);
    match kind {
        "table" if fact(found, "sort").ends_with("view") => format!("drop {} {object};", fact(found, "sort")),
        "table" => format!("drop table {object}; -- when nobody needs its rows"),
        "column" => {
            let (table, column) = object.rsplit_once('.').unwrap_or_default();
            format!("alter table {table} drop column {column}; -- when nobody needs it")
        }
        "constraint" => format!("alter table {of} drop constraint {name};"),
        "index" => format!("drop index {object};"),
        "trigger" | "rule" | "policy" => format!("drop {kind} {name} on {of};"),
        "child" if fact(found, "a partition") == "yes" => format!("alter table {of} detach partition {name};"),
        "child" => format!("alter table {name} no inherit {of};"),
        "function" => format!("drop function {object};"),
        "membership" => {
            let (member, role) = object.split_once(" in ").unwrap_or_default();
            format!("revoke {role} from {member};")
        }
        "setting" => set(object, None),
        "view" if fact(found, "reads our tables as") == "a copy" => format!("drop materialized view {object};"),
        "view" => format!("alter view {object} set (security_invoker = true);"),
        "definer function" => format!("alter function {object} security invoker;"),
        "publication" if fact(found, "publishes") == "all tables" => {
            format!("drop publication {of}; -- and make it again for the tables that it is for")
        }
        "publication" => format!("alter publication {of} drop table {name};"),
        "event trigger" => format!("alter event trigger {object} disable;"),
        "default privilege" => {
            let (what, taker) = name.rsplit_once(" to ").unwrap_or_default();
            let (maker, schema) = of.trim_start_matches("of ").split_once(" in ").unwrap_or_default();
            let within = if schema == "every schema" { String::new() } else { format!(" in schema {schema}") };
            format!("alter default privileges for role {maker}{within} revoke all on {what} from {taker};")
        }
        _ => grant(kind, object, "revoke", "from").unwrap_or_else(|| AGAIN.to_owned()),
    }
}

fn made(kind: &str, object: &str, expected: &Facts) -> String {
    let (of, name) = parts(object);
    match kind {
        "column" => {
            let (table, column) = object.rsplit_once('.').unwrap_or_default();
            let default = match fact(expected, "default") {
                "" => String::new(),
                default => format!(" default {default}"),
            };
            let not_null = if fact(expected, "not null") == "yes" { " not null" } else { "" };
            format!("alter table {table} add column {column} {}{default}{not_null};", fact(expected, "type"))
        }
        "constraint" => format!("alter table {of} add constraint {name} {};", fact(expected, "definition")),
        "index" => format!("{};", fact(expected, "definition").replace(" ON ONLY ", " ON ")),
        "trigger" => trigger(expected, of, name),
        "policy" => policy(expected, of, name),
        "table" | "partition" if object.starts_with("module_mgmt_usage.usage_2") => {
            "select module_mgmt.make_usage_partitions(3);".to_owned()
        }
        "membership" => {
            let (member, role) = object.split_once(" in ").unwrap_or_default();
            format!("grant {role} to {member};")
        }
        "setting" => set(object, Some(fact(expected, "value"))),
        _ => grant(kind, object, "grant", "to").unwrap_or_else(|| AGAIN.to_owned()),
    }
}

fn changed(kind: &str, object: &str, expected: &Facts, found: &Facts, differing: &[&str]) -> String {
    let (of, name) = parts(object);
    let again = |statement: String| format!("{} {statement}", removed(kind, object, found));
    match (kind, differing) {
        ("policy" | "constraint" | "index", _) if differing.contains(&"definition") || kind == "policy" => {
            again(made(kind, object, expected))
        }
        ("constraint", _) => format!("alter table {of} validate constraint {name};"),
        ("index", _) => format!("reindex index {object};"),
        ("trigger", _) => trigger(expected, of, name),
        ("foreign key", _) => format!("alter table {of} enable trigger all;"),
        ("partition", _) => attached(object),
        ("setting", _) => set(object, Some(fact(expected, "value"))),
        ("login", _) => format!("grant connect on database (database) to {object};"),
        ("role", _) => format!("alter role {object}{};", keywords(expected, differing)),
        ("schema", _) => format!("alter schema {object} owner to {};", fact(expected, "owner")),
        ("sequence", ["owner"]) => format!("alter sequence {object} owner to {};", fact(expected, "owner")),
        ("sequence", _) => format!("alter sequence {object} owned by {};", fact(expected, "of")),
        ("table", _) => each(differing, |name| match name {
            "owner" => format!("alter table {object} owner to {};", fact(expected, name)),
            "row security" => format!(
                "alter table {object} enable row level security, {}force row level security;",
                if fact(expected, name) == "forced" { "" } else { "no " }
            ),
            "logged" => format!("alter table {object} set logged;"),
            _ => format!("alter table {object} set ({});", fact(expected, name)),
        }),
        ("column", _) => column(object, expected, differing),
        ("function", _) => function(object, expected, differing),
        _ => match grant(kind, object, "revoke grant option for", "from") {
            Some(statement) => statement,
            None => AGAIN.to_owned(),
        },
    }
}

/// `public.t: name` as table and name.
fn parts(object: &str) -> (&str, &str) {
    object.split_once(": ").unwrap_or((object, object))
}

fn fact<'a>(facts: &'a Facts, name: &str) -> &'a str {
    facts.get(name).map_or("", String::as_str)
}

fn each(names: &[&str], statement: impl Fn(&str) -> String) -> String {
    names.iter().map(|name| statement(name)).collect::<Vec<_>>().join(" ")
}

fn trigger(expected: &Facts, table: &str, name: &str) -> String {
    let definition = fact(expected, "definition").replacen("CREATE TRIGGER", "CREATE OR REPLACE TRIGGER", 1);
    format!("{definition}; alter table {table} enable trigger {name};")
}

fn policy(expected: &Facts, table: &str, name: &str) -> String {
    let kind = if fact(expected, "permissive") == "no" { " as restrictive" } else { "" };
    let clause = |words: &str, fact: &str| match fact {
        "" => String::new(),
        text => format!(" {words} ({text})"),
    };
    format!(
        "create policy {name} on {table}{kind} for {} to {}{}{};",
        fact(expected, "command"),
        fact(expected, "roles"),
        clause("using", fact(expected, "using")),
        clause("with check", fact(expected, "check"))
    )
}

fn column(object: &str, expected: &Facts, differing: &[&str]) -> String {
    let (table, column) = object.rsplit_once('.').unwrap_or_default();
    each(differing, |name| {
        let change = match (name, fact(expected, name)) {
            ("default", "") => "drop default".to_owned(),
            ("default", value) => format!("set default {value}"),
            ("not null", "yes") => "set not null".to_owned(),
            ("not null", _) => "drop not null".to_owned(),
            ("identity", "") => "drop identity".to_owned(),
            ("identity", kind) => format!("add generated {kind} as identity"),
            _ => format!("type {}", fact(expected, "type")),
        };
        format!("alter table {table} alter column {column} {change};")
    })
}

fn function(object: &str, expected: &Facts, differing: &[&str]) -> String {
    if differing.iter().any(|name| !["owner", "runs as", "settings"].contains(name)) {
        return AGAIN.to_owned();
    }
    each(differing, |name| match (name, fact(expected, name)) {
        ("owner", owner) => format!("alter function {object} owner to {owner};"),
        ("settings", settings) => {
            let all = settings.split("; ").filter_map(|setting| setting.split_once('='));
            let all = all.map(|(name, value)| format!(" set {name} = {}", value_of(name, value)));
            format!("alter function {object} reset all{};", all.collect::<String>())
        }
        (_, "its owner") => format!("alter function {object} security definer;"),
        _ => format!("alter function {object} security invoker;"),
    })
}

/// A path is a list of names, everything else a text.
fn value_of(name: &str, value: &str) -> String {
    if name == "search_path" { value.to_owned() } else { format!("'{}'", value.replace('\'', "''")) }
}

fn keywords(expected: &Facts, differing: &[&str]) -> String {
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

/// `role: name`, `role in this database: name` or `this database: name`.
fn set(object: &str, value: Option<&str>) -> String {
    let (whose, name) = parts(object);
    let whose = match whose.split_once(" in this database") {
        Some((role, _)) => format!("role {role} in database (database)"),
        None if whose == "this database" => "database (database)".to_owned(),
        None => format!("role {whose}"),
    };
    match value {
        Some(value) => format!("alter {whose} set {name} = {};", value_of(name, value)),
        None => format!("alter {whose} reset {name};"),
    }
}

/// `public.t: SELECT to role`. Nothing if the kind is no kind of grant.
fn grant(kind: &str, object: &str, verb: &str, preposition: &str) -> Option<String> {
    let kind = kind.strip_suffix(" grant")?;
    let (on, right) = object.rsplit_once(": ")?;
    let (privilege, role) = right.split_once(" to ")?;
    let role = match role {
        "its owner" if on == "public.platform_module_usage" || on.starts_with("module_mgmt_usage.") => {
            "module_mgmt_definer"
        }
        "its owner" => "(owner)",
        other => other,
    };
    Some(match (kind, on.rsplit_once('.')) {
        ("column", Some((table, column))) => format!("{verb} {privilege} ({column}) on {table} {preposition} {role};"),
        _ => format!("{verb} {privilege} on {kind} {on} {preposition} {role};"),
    })
}

/// Postgres takes expressions as bounds, and the function makes those of a month.
fn attached(object: &str) -> String {
    let Some((year, month)) = object.rsplit("usage_").next().and_then(|month| month.split_once('_')) else {
        return format!("alter table public.platform_module_usage attach partition {object} default;");
    };
    let (year, month): (i32, i32) = (year.parse().unwrap_or_default(), month.parse().unwrap_or_default());
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    format!(
        "alter table public.platform_module_usage attach partition {object} for values \
         from (module_mgmt.usage_id_at('{year}-{month:02}-01Z')) to (module_mgmt.usage_id_at('{next_year}-{next_month:02}-01Z'));"
    )
}
