//! Statements that remove an object that should not exist.

use super::super::catalog::Facts;
use super::super::names::{AGAIN, fact, last, member_and_role, parts, table_and_column};
use super::rights::{grant, set};

pub(super) fn removed(kind: &str, object: &str, found: &Facts) -> String {
    let (of, name) = parts(object);
    match kind {
        "table" if fact(found, "sort").ends_with("view") => format!("drop {} {object};", fact(found, "sort")),
        "table" => format!("drop table {object}; -- when nobody needs its rows"),
        "column" => {
            let (table, column) = table_and_column(object);
            format!("alter table {table} drop column {column}; -- when nobody needs it")
        }
        "constraint" => format!("alter table {of} drop constraint {name};"),
        "index" | "sequence" | "type" => format!("drop {kind} {object};"),
        "trigger" | "rule" | "policy" => format!("drop {kind} {name} on {of};"),
        "child" if fact(found, "a partition") == "yes" => format!("alter table {of} detach partition {name};"),
        "child" => format!("alter table {name} no inherit {of};"),
        "function" => format!("drop function {object};"),
        "membership" => {
            let (member, role) = member_and_role(object);
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
            let (what, taker) = last(name, " to ").unwrap_or_default();
            let (maker, schema) = member_and_role(of.trim_start_matches("of "));
            let within = if schema == "every schema" { String::new() } else { format!(" in schema {schema}") };
            format!("alter default privileges for role {maker}{within} revoke all on {what} from {taker};")
        }
        _ => grant(kind, object, "revoke", "from").unwrap_or_else(|| AGAIN.to_owned()),
    }
}
