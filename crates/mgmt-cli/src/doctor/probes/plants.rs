//! Rows to be looked at. Each exists for two organisations where its table knows organisations.

use super::super::tasks::Task;
use super::probe::Names;

const ADMIN: &str = r#"{"sub":"doctor","is_platform_admin":true}"#;

/// The first and the last of them switch triggers off and on again, which only superusers may. So the planted rows take no number of a
/// sequence and nobody waits for the registry.
///
/// A login that row-level security binds plants as the roles that may.
pub(super) fn tasks(names: &Names, passes_by: bool) -> Vec<Task> {
    let Names { mark, module_on, module_off, own_org, other_org } = names;
    let admin = |statement: String| match passes_by {
        true => Task::arrange(statement),
        false => Task::arrange(statement).run_by("module_mgmt_request").with_claims(ADMIN),
    };
    let role = |role: &'static str, statement: String| match passes_by {
        true => Task::arrange(statement),
        false => Task::arrange(statement).run_by(role),
    };
    let worker = |statement: String| role("module_mgmt_worker", statement);
    let definer = |statement: String| role("module_mgmt_definer", statement);
    // A UUIDv7 of now.
    let event_id = |org: &str| {
        format!(
            "(lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0') || '7' || substr(md5('{org}'), 1, 19))::uuid"
        )
    };
    let event = |org: &str| {
        format!(
            "({}, '{org}', 'doctor', '{module_on}', 'api_call', 'http', 'success', now(), repeat('x', 16)::bytea)",
            event_id(org)
        )
    };
    let daily = |org: &str| {
        format!(
            "('{org}', current_date, '{module_on}', 'api_call', 'http', 1, 1, 0, 0, 1, 0, 0, repeat('x', 16)::bytea)"
        )
    };
    vec![
        Task::arrange("set local session_replication_role = replica"),
        admin(format!(
            "insert into public.platform_module_registry (module_name, display_name, is_enabled)
             values ('{module_on}', 'on', true), ('{module_off}', 'off', false)"
        )),
        admin(format!(
            "insert into public.platform_module_override (org_id, module_name, is_enabled)
             values ('{own_org}', '{module_on}', false), ('{other_org}', '{module_on}', false)"
        )),
        admin(format!(
            "insert into public.platform_lambda_config (config_key, config_value) values ('{mark}', '{{}}')"
        )),
        worker(format!("insert into public.platform_rule_sync (config_key) values ('{mark}')")),
        worker("insert into public.platform_warming_run (tick) values ('1970-01-01 00:01Z')".to_owned()),
        worker(format!(
            "insert into public.platform_warming_target (function_name, fingerprint, status) values ('{mark}', 'x', 'proven')"
        )),
        definer(format!(
            "insert into public.platform_module_audit (id, module_name, org_id, action) overriding system value
             values (-1, '{module_on}', '{own_org}', 'override'), (-2, '{module_on}', '{other_org}', 'override')"
        )),
        definer(format!("insert into public.platform_module_version values ('{mark}', 1)")),
        definer(format!(
            "insert into public.platform_module_usage (event_id, org_id, user_id, module_name, event_type, source, status, occurred_at,
             content_hash) values {}, {}",
            event(own_org),
            event(other_org)
        )),
        definer(format!(
            "insert into public.platform_module_usage_daily (org_id, usage_date, module_name, event_type, source, total, successes,
             failures, partials, unique_users, duration_count, duration_sum, scope) values {}, {}",
            daily(own_org),
            daily(other_org)
        )),
        definer(format!(
            "insert into public.platform_module_usage_user values ('{mark}', 'doctor', '{own_org}'), ('{mark}', 'doctor', '{other_org}')"
        )),
        definer("insert into public.platform_module_usage_sealed_day (usage_date, events) values ('1970-01-01', 0)".to_owned()),
        definer("insert into public.platform_module_usage_day_lock values ('1970-01-01', 0)".to_owned()),
        definer(format!(
            "insert into public.platform_module_usage_reject (id, org_id, source, reason) overriding system value
             values (-1, '{own_org}', 'http', 'doctor'), (-2, '{other_org}', 'http', 'doctor')"
        )),
        definer(format!(
            "insert into public.platform_module_usage_reject_count
             values ('{own_org}', current_date, 'http', 'doctor', 1), ('{other_org}', current_date, 'http', 'doctor', 1)"
        )),
        // Nobody may get the lock of a whole table. Who gets one against all rules must not make the traffic wait for long.
        Task::arrange("set local lock_timeout = '200ms'"),
        Task::arrange("set local session_replication_role = origin"),
    ]
}
