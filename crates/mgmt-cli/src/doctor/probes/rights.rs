//! What a role may not do to any row: write, empty a table, lock it, count a sequence up, make things.

use super::super::tasks::Task;
use super::probe::{Outcome, Probe};

const ROLES: [&str; 4] = ["anon", "authenticated", "module_mgmt_request", "module_mgmt_worker"];

/// Table, a column of it, and what module_mgmt_request and module_mgmt_worker may do; the other roles may nothing.
const TABLES: [(&str, &str, &str, &str); 16] = [
    ("public.platform_lambda_config", "config_key", "insert update delete", ""),
    ("public.platform_rule_sync", "config_key", "insert update", "insert update"),
    ("public.platform_warming_run", "tick", "", "insert update delete"),
    ("public.platform_warming_target", "reason", "", "insert update delete"),
    ("public.platform_module_registry", "module_name", "insert update", ""),
    ("public.platform_module_override", "module_name", "insert update delete", ""),
    ("public.platform_module_audit", "module_name", "", ""),
    ("public.platform_module_version", "version", "", ""),
    ("public.platform_module_usage", "module_name", "", ""),
    ("public.platform_module_usage_daily", "total", "", ""),
    ("public.platform_module_usage_user", "user_id", "", ""),
    ("public.platform_module_usage_sealed_day", "events", "", ""),
    ("public.platform_module_usage_day_lock", "slot", "", ""),
    ("public.platform_module_usage_reject", "reason", "", ""),
    ("public.platform_module_usage_reject_count", "rejects", "", ""),
    ("public.module_mgmt_schema_history", "checksum", "", ""),
];

/// Objects of a caller's own are what attacks on definer functions are made of.
const OF_THE_CALLER_S_OWN: [(&str, &str); 3] = [
    ("makes a temporary table", "create temporary table doctor_probe (id integer)"),
    ("makes a table in public", "create table public.doctor_probe (id integer)"),
    (
        "makes a function in module_mgmt",
        "create function module_mgmt.doctor_probe() returns integer language sql return 1",
    ),
];

pub(super) fn probes() -> Vec<Probe> {
    let mut probes = Vec::new();
    for (table, column, request, worker) in TABLES {
        for role in ROLES {
            let may = match role {
                "module_mgmt_request" => request,
                "module_mgmt_worker" => worker,
                _ => "",
            };
            let statements = [
                ("insert", format!("insert into {table} default values")),
                ("update", format!("update {table} set {column} = {column} where false")),
                ("delete", format!("delete from {table} where false")),
                ("truncate", format!("truncate {table}")),
            ];
            let forbidden = statements.into_iter().filter(|(right, _)| !may.contains(right));
            probes.extend(forbidden.map(|(right, statement)| refused(role, format!("{right}s {table}"), statement)));
            // Who may change rows may lock their table.
            if may.is_empty() {
                let lock = format!("lock table {table} in access exclusive mode nowait");
                probes.push(refused(role, format!("locks {table}"), lock));
            }
        }
    }
    for role in ROLES {
        let own = OF_THE_CALLER_S_OWN.into_iter();
        probes.extend(own.map(|(does, statement)| refused(role, does.to_owned(), statement.to_owned())));
        probes.push(sequences(role));
    }
    probes
}

fn refused(role: &'static str, does: String, statement: String) -> Probe {
    Probe { who: role.to_owned(), does, task: Task::attempt(statement).run_by(role), expected: Outcome::Refused }
}

/// A number that is taken does not come back with a rollback: so this asks and does not try.
fn sequences(role: &'static str) -> Probe {
    let statement = "select count(*) from pg_class where relkind = 'S' and relname in
        ('platform_module_audit_id_seq', 'platform_module_usage_reject_id_seq')
        and has_sequence_privilege(current_user, pg_class.oid, 'usage, update, select')";
    Probe {
        who: role.to_owned(),
        does: "counts sequences up or sets them".to_owned(),
        task: Task::ask(statement).run_by(role),
        expected: Outcome::Sees("0".to_owned()),
    }
}
