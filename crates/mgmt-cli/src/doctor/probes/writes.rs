//! Rows that row-level security keeps from being written, by roles that may write others.

use super::super::tasks::Task;
use super::probe::{Names, Outcome, Probe};
use super::reads::{Rights, as_somebody, filled};

const MEMBER: (Rights, &str) = (Rights::Member, "a member");
const ORG_ADMIN: (Rights, &str) = (Rights::OrgAdmin, "an organisation's admin");

/// Who, what in words, the statement, and whether it is refused: others do nothing.
const WRITES: [((Rights, &str), &str, &str, bool); 13] = [
    (
        MEMBER,
        "registers a module",
        "insert into public.platform_module_registry (module_name, display_name) values ('module-' || :mark, 'x')",
        true,
    ),
    (
        MEMBER,
        "changes a module",
        "update public.platform_module_registry set display_name = 'x' where module_name = :on",
        false,
    ),
    (
        ORG_ADMIN,
        "changes a module",
        "update public.platform_module_registry set display_name = 'x' where module_name = :on",
        false,
    ),
    (
        MEMBER,
        "adds an override",
        "insert into public.platform_module_override (org_id, module_name) values (:own, :off)",
        true,
    ),
    (
        MEMBER,
        "changes an override",
        "update public.platform_module_override set is_enabled = true where module_name = :on",
        false,
    ),
    (MEMBER, "removes an override", "delete from public.platform_module_override where module_name = :on", false),
    (
        ORG_ADMIN,
        "adds another organisation's override",
        "insert into public.platform_module_override (org_id, module_name) values (:other, :off)",
        true,
    ),
    (
        ORG_ADMIN,
        "changes another organisation's override",
        "update public.platform_module_override set is_enabled = true where org_id = :other",
        false,
    ),
    (
        ORG_ADMIN,
        "removes another organisation's override",
        "delete from public.platform_module_override where org_id = :other",
        false,
    ),
    (
        ORG_ADMIN,
        "adds a config",
        "insert into public.platform_lambda_config (config_key, config_value) values (:mark || '-2', '{}')",
        true,
    ),
    (
        ORG_ADMIN,
        "changes a config",
        "update public.platform_lambda_config set config_value = '{}' where config_key = :mark",
        false,
    ),
    (ORG_ADMIN, "removes a config", "delete from public.platform_lambda_config where config_key = :mark", false),
    (
        ORG_ADMIN,
        "changes the rule sync",
        "update public.platform_rule_sync set status = 'synced' where config_key = :mark",
        false,
    ),
];

pub(super) fn probes(names: &Names) -> Vec<Probe> {
    let probe = |((rights, words), does, statement, is_refused): ((Rights, &str), &str, &str, bool)| Probe {
        who: format!("{words} as module_mgmt_request"),
        does: does.to_owned(),
        task: as_somebody(Task::attempt(filled(statement, names)), "module_mgmt_request", rights, names),
        expected: if is_refused { Outcome::Refused } else { Outcome::NoRow },
    };
    WRITES.into_iter().map(probe).collect()
}
