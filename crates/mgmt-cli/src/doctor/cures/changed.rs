//! Statements that change an object where it differs from the catalog.

use super::super::catalog::Facts;
use super::super::names::{AGAIN, fact, parts, table_and_column};
use super::made::{made, trigger};
use super::removed::removed;
use super::rights::{grant, keywords, set, value_of};

pub(super) fn changed(kind: &str, object: &str, expected: &Facts, found: &Facts, differing: &[&str]) -> String {
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
        ("partition", _) if fact(found, "of") == fact(expected, "of") => {
            format!("alter table {} detach partition {object}; {}", fact(found, "of"), attached(object))
        }
        ("partition", _) => attached(object),
        ("setting", _) => set(object, Some(fact(expected, "value"))),
        ("login", _) => format!(
            "grant connect on database (database) to {object}; alter role {object} connection limit -1 valid until 'infinity';"
        ),
        ("role", _) => format!("alter role {object}{};", keywords(expected, differing)),
        ("schema", _) => format!("alter schema {object} owner to {};", fact(expected, "owner")),
        ("sequence", ["owner"]) => format!("alter sequence {object} owner to {};", fact(expected, "owner")),
        ("sequence", _) => {
            format!("alter sequence {object} as bigint start 1 increment 1 minvalue 1 no maxvalue no cycle;")
        }
        ("table", _) if differing.contains(&"sort") => format!("{} -- then {AGAIN}", removed(kind, object, found)),
        ("table", _) => each(differing, |name| match name {
            "owner" => format!("alter table {object} owner to {};", fact(expected, name)),
            "row security" => format!(
                "alter table {object} enable row level security, {}force row level security;",
                if fact(expected, name) == "forced" { "" } else { "no " }
            ),
            "logged" => format!("alter table {object} set logged;"),
            _ => options(object, fact(expected, name), fact(found, name)),
        }),
        ("column", _) => column(object, expected, differing),
        ("function", _) => function(object, expected, differing),
        _ => match grant(kind, object, "revoke grant option for", "from") {
            Some(statement) => statement,
            None => AGAIN.to_owned(),
        },
    }
}

fn each(names: &[&str], statement: impl Fn(&str) -> String) -> String {
    names.iter().map(|name| statement(name)).collect::<Vec<_>>().join(" ")
}

/// Sets what is expected and resets the rest.
fn options(table: &str, expected: &str, found: &str) -> String {
    let found = found.split(", ").filter_map(|option| option.split_once('=')).map(|(name, _)| name);
    let extra: Vec<&str> = found.filter(|name| !expected.contains(&format!("{name}="))).collect();
    let mut statements = Vec::new();
    if !extra.is_empty() {
        statements.push(format!("alter table {table} reset ({});", extra.join(", ")));
    }
    if !expected.is_empty() {
        statements.push(format!("alter table {table} set ({expected});"));
    }
    statements.join(" ")
}

fn column(object: &str, expected: &Facts, differing: &[&str]) -> String {
    let (table, column) = table_and_column(object);
    each(differing, |name| {
        let change = match (name, fact(expected, name)) {
            ("default", "") => "drop default".to_owned(),
            ("default", value) => format!("set default {value}"),
            ("not null", "yes") => "set not null".to_owned(),
            ("not null", _) => "drop not null".to_owned(),
            ("identity", "") => "drop identity".to_owned(),
            ("identity", kind) => {
                let next = format!(
                    "setval(pg_get_serial_sequence('{table}', '{column}'), coalesce(max({column}), 0) + 1, false)"
                );
                format!("add generated {kind} as identity; select {next} from {table}")
            }
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
