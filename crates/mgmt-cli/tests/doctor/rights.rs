//! Policies, grants, and what is granted by default.

use crate::bed::Undo::Cures;
use crate::bed::{Sabotage, check};

const POLICIES: &[Sabotage] = &[
    (
        "create policy \"Everybody\" on public.platform_module_override for select to authenticated using (true)",
        &["policy public.platform_module_override: \"Everybody\""],
        Cures,
    ),
    (
        "alter policy \"Members read the overrides of their organisation\" on public.platform_module_override using (true)",
        &["policy public.platform_module_override: \"Members read the overrides of their organisation\""],
        Cures,
    ),
    (
        "alter policy \"Platform admins read the audit\" on public.platform_module_audit to public",
        &["policy public.platform_module_audit: \"Platform admins read the audit\""],
        Cures,
    ),
    (
        "drop policy \"The worker keeps the warming history\" on public.platform_warming_run",
        &["policy public.platform_warming_run: \"The worker keeps the warming history\""],
        Cures,
    ),
    (
        "drop policy \"Platform admins register modules\" on public.platform_module_registry;
         create policy \"Platform admins register modules\" on public.platform_module_registry as restrictive
           for insert to module_mgmt_request with check ((select module_mgmt.is_platform_admin()))",
        &["policy public.platform_module_registry: \"Platform admins register modules\""],
        Cures,
    ),
];

const GRANTS: &[Sabotage] = &[
    (
        "grant truncate on public.platform_module_audit to authenticated",
        &["table grant public.platform_module_audit: TRUNCATE to authenticated"],
        Cures,
    ),
    (
        "grant select on public.platform_module_audit to public",
        &["table grant public.platform_module_audit: SELECT to PUBLIC"],
        Cures,
    ),
    (
        "grant select on public.platform_module_usage to authenticated with grant option",
        &["table grant public.platform_module_usage: SELECT to authenticated"],
        Cures,
    ),
    (
        "revoke select on public.platform_lambda_config from module_mgmt_worker",
        &["table grant public.platform_lambda_config: SELECT to module_mgmt_worker"],
        Cures,
    ),
    (
        "revoke insert on public.platform_module_usage from module_mgmt_definer",
        &["table grant public.platform_module_usage: INSERT to its owner"],
        Cures,
    ),
    (
        "grant select (config) on public.platform_module_registry to authenticated",
        &["column grant public.platform_module_registry.config: SELECT to authenticated"],
        Cures,
    ),
    (
        "grant usage on sequence public.platform_module_audit_id_seq to authenticated",
        &["sequence grant public.platform_module_audit_id_seq: USAGE to authenticated"],
        Cures,
    ),
    (
        "grant execute on function module_mgmt.seal_usage(integer) to public",
        &["function grant module_mgmt.seal_usage(last_open_days integer): EXECUTE to PUBLIC"],
        Cures,
    ),
    (
        "grant create on schema module_mgmt to authenticated",
        &["schema grant module_mgmt: CREATE to authenticated"],
        Cures,
    ),
    ("grant create on schema public to public", &["schema grant public: CREATE to PUBLIC"], Cures),
    (
        "revoke usage on schema public from module_mgmt_worker",
        &["schema grant public: USAGE to module_mgmt_worker"],
        Cures,
    ),
    ("alter schema module_mgmt_usage owner to :owner", &["schema module_mgmt_usage"], Cures),
    ("grant temporary on database :database to public", &["database grant :database: TEMPORARY to PUBLIC"], Cures),
    (
        "revoke connect on database :database from public",
        &["login module_mgmt_request_login", "login module_mgmt_worker_login"],
        Cures,
    ),
    (
        "alter database :database set session_replication_role = 'replica'",
        &["setting this database: session_replication_role"],
        Cures,
    ),
    (
        "alter default privileges in schema module_mgmt grant execute on functions to anon",
        &["default privilege of :owner in module_mgmt: functions to anon"],
        Cures,
    ),
    (
        "alter default privileges for role module_mgmt_definer grant select on tables to authenticated",
        &["default privilege of module_mgmt_definer in every schema: tables to authenticated"],
        Cures,
    ),
    (
        "alter default privileges in schema public grant usage on sequences to anon",
        &["default privilege of :owner in public: sequences to anon"],
        Cures,
    ),
];

/// Faults, row 48.
#[tokio::test]
async fn sabotaged_policies_are_named_and_cured() {
    check(POLICIES).await;
}

/// Faults, row 48.
#[tokio::test]
async fn sabotaged_grants_are_named_and_cured() {
    check(GRANTS).await;
}
