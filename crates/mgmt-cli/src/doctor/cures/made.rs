//! Statements that make an object that is missing, as the catalog describes it.

use super::super::catalog::Facts;
use super::super::names::{AGAIN, fact, member_and_role, parts, table_and_column};
use super::rights::{grant, set};

pub(super) fn made(kind: &str, object: &str, expected: &Facts) -> String {
    let (of, name) = parts(object);
    match kind {
        "column" => {
            let (table, column) = table_and_column(object);
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
            let (member, role) = member_and_role(object);
            format!("grant {role} to {member};")
        }
        "setting" => set(object, Some(fact(expected, "value"))),
        _ => grant(kind, object, "grant", "to").unwrap_or_else(|| AGAIN.to_owned()),
    }
}

pub(super) fn trigger(expected: &Facts, table: &str, name: &str) -> String {
    let definition = fact(expected, "definition").replacen("CREATE TRIGGER", "CREATE OR REPLACE TRIGGER", 1);
    format!("{definition}; alter table {table} enable trigger {name};")
}

pub(super) fn policy(expected: &Facts, table: &str, name: &str) -> String {
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
