//! Who sees how many of the planted rows.

use serde_json::json;

use super::super::tasks::Task;
use super::probe::{Names, Outcome, Probe};

/// Role, what its claims make of it, and its words.
const EVERYBODY: [(&str, Rights, &str); 8] = [
    ("anon", Rights::Nobody, "nobody"),
    ("authenticated", Rights::Member, "a member"),
    ("authenticated", Rights::OrgAdmin, "an organisation's admin"),
    ("authenticated", Rights::PlatformAdmin, "a platform admin"),
    ("module_mgmt_request", Rights::Member, "a member"),
    ("module_mgmt_request", Rights::OrgAdmin, "an organisation's admin"),
    ("module_mgmt_request", Rights::PlatformAdmin, "a platform admin"),
    ("module_mgmt_worker", Rights::Nobody, "the worker"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rights {
    Nobody,
    Member,
    OrgAdmin,
    PlatformAdmin,
}

/// Table, the planted rows in it, and how many each of [`EVERYBODY`] sees; `-` is refused.
const SEEN: [(&str, &str, &str); 17] = [
    ("public.platform_module_registry", "module_name in (:on, :off)", "- 1 1 2 1 1 2 2"),
    ("public.platform_module_override", "module_name = :on", "- 1 1 2 1 1 2 -"),
    ("public.platform_module_audit", "id in (-1, -2)", "- - - - 0 1 2 -"),
    ("public.platform_module_version", "scope = :mark", "- - - - - - - -"),
    ("public.platform_lambda_config", "config_key = :mark", "- 0 0 1 0 0 1 1"),
    ("public.platform_rule_sync", "config_key = :mark", "- - - - 0 0 1 1"),
    ("public.platform_warming_run", "tick = '1970-01-01 00:01Z'", "- - - - 0 0 1 1"),
    ("public.platform_warming_target", "function_name = :mark", "- - - - 0 0 1 1"),
    ("public.platform_module_usage", "org_id in (:own, :other)", "- 0 1 2 0 1 2 -"),
    ("public.platform_module_usage_daily", "org_id in (:own, :other)", "- 0 1 2 0 1 2 2"),
    ("public.platform_module_usage_user", "org_id in (:own, :other)", "- - - - 0 1 2 -"),
    ("public.platform_module_usage_sealed_day", "usage_date = '1970-01-01'", "- - - - - - - 1"),
    ("public.platform_module_usage_day_lock", "usage_date = '1970-01-01'", "- - - - - - - -"),
    ("public.platform_module_usage_reject", "org_id in (:own, :other)", "- - - - 0 1 2 -"),
    ("public.platform_module_usage_reject_count", "org_id in (:own, :other)", "- - - - 0 1 2 2"),
    ("module_mgmt_usage.usage_other", "org_id in (:own, :other)", "- - - - - - - -"),
    ("public.module_mgmt_schema_history", "true", "- - - - - - - -"),
];

/// Columns of rows that members see, which are for admins and go through the API.
const HIDDEN_COLUMNS: [(&str, &str); 7] = [
    ("public.platform_module_registry", "config"),
    ("public.platform_module_registry", "config_schema"),
    ("public.platform_module_registry", "functions"),
    ("public.platform_module_registry", "dependencies"),
    ("public.platform_module_registry", "required_permissions"),
    ("public.platform_module_registry", "nav_config"),
    ("public.platform_module_override", "config"),
];

pub(super) fn probes(names: &Names) -> Vec<Probe> {
    let mut probes = Vec::new();
    for (table, filter, seen) in SEEN {
        for ((role, rights, words), seen) in EVERYBODY.into_iter().zip(seen.split(' ')) {
            let statement = format!("select count(*) from {table} where {}", filled(filter, names));
            let expected = if seen == "-" { Outcome::Refused } else { Outcome::Sees(seen.to_owned()) };
            let task = as_somebody(Task::ask(statement), role, rights, names);
            probes.push(Probe { who: format!("{words} as {role}"), does: format!("reads {table}"), task, expected });
        }
    }
    for (table, column) in HIDDEN_COLUMNS {
        let task = Task::ask(format!("select count({column}) from {table}"));
        let task = as_somebody(task, "authenticated", Rights::PlatformAdmin, names);
        let (who, does) = ("a platform admin as authenticated".to_owned(), format!("reads {table}.{column}"));
        probes.push(Probe { who, does, task, expected: Outcome::Refused });
    }
    probes
}

/// The names of the planted rows as SQL.
pub(super) fn filled(text: &str, names: &Names) -> String {
    let values = [
        (":mark", &names.mark),
        (":on", &names.module_on),
        (":off", &names.module_off),
        (":own", &names.own_org),
        (":other", &names.other_org),
    ];
    values.into_iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, &format!("'{value}'")))
}

pub(super) fn as_somebody(task: Task, role: &'static str, rights: Rights, names: &Names) -> Task {
    let task = task.run_by(role);
    if rights == Rights::Nobody {
        return task;
    }
    let claims = json!({
        "sub": "doctor",
        "role": "authenticated",
        "org_id": names.own_org,
        "is_org_admin": rights == Rights::OrgAdmin,
        "is_platform_admin": rights == Rights::PlatformAdmin,
    });
    task.with_claims(&claims.to_string())
}
