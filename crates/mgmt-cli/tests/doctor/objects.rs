//! Functions, triggers, tables, columns, constraints, indexes, and what strangers add.

use crate::bed::Undo::{By, Cures, CuresAnd};
use crate::bed::{Sabotage, check};

const FUNCTIONS_AND_TRIGGERS: &[Sabotage] = &[
    (
        "create or replace function module_mgmt.is_platform_admin() returns boolean language sql stable parallel safe
           set search_path = pg_catalog, pg_temp as 'select true'",
        &["function module_mgmt.is_platform_admin()"],
        Cures,
    ),
    ("alter function module_mgmt.registry_version() reset search_path", &["function module_mgmt.registry_version()"], Cures),
    ("alter function module_mgmt.claims() security definer", &["function module_mgmt.claims()"], Cures),
    ("alter function module_mgmt.module_states() security invoker", &["function module_mgmt.module_states()"], Cures),
    ("alter function module_mgmt.seal_usage(integer) owner to :owner", &["function module_mgmt.seal_usage(last_open_days integer)"], Cures),
    ("alter function module_mgmt.get_current_org_id() volatile", &["function module_mgmt.get_current_org_id()"], Cures),
    (
        "create function module_mgmt.helper() returns integer language sql security definer as 'select 1'",
        &["function module_mgmt.helper()"],
        Cures,
    ),
    (
        "create function public.all_overrides() returns bigint language sql security definer
           as 'select count(*) from public.platform_module_override'",
        &["definer function public.all_overrides()"],
        CuresAnd("drop function public.all_overrides()"),
    ),
    ("alter table public.platform_module_registry disable trigger e_check", &["trigger public.platform_module_registry: e_check"], Cures),
    ("drop trigger forbid_change on public.platform_module_audit", &["trigger public.platform_module_audit: forbid_change"], Cures),
    (
        "create function public.nothing() returns trigger language plpgsql as 'begin return null; end';
         create or replace trigger e_check after insert or update or delete on public.platform_module_registry
           for each statement execute function public.nothing()",
        &["trigger public.platform_module_registry: e_check"],
        CuresAnd("drop function public.nothing()"),
    ),
    (
        "create function public.copied() returns trigger language plpgsql as 'begin return new; end';
         create trigger copies before insert on public.platform_module_usage_reject for each row execute function public.copied()",
        &["trigger public.platform_module_usage_reject: copies"],
        CuresAnd("drop function public.copied()"),
    ),
    (
        "do $$ begin execute (select format('alter table public.platform_module_override disable trigger %I', tgname) from pg_trigger
           where tgrelid = 'public.platform_module_override'::regclass and tgisinternal limit 1); end $$",
        &["foreign key public.platform_module_override: platform_module_override_module_name_fkey"],
        Cures,
    ),
    (
        "create function public.watch() returns event_trigger language plpgsql as 'begin end';
         create event trigger watches on ddl_command_end execute function public.watch()",
        &["event trigger watches"],
        CuresAnd("drop event trigger watches; drop function public.watch()"),
    ),
];

const TABLES: &[Sabotage] = &[
    (
        "alter table public.platform_module_override disable row level security",
        &["table public.platform_module_override"],
        Cures,
    ),
    (
        "alter table public.platform_lambda_config no force row level security",
        &["table public.platform_lambda_config"],
        Cures,
    ),
    (
        // What the new owner was granted becomes its own.
        "alter table public.platform_rule_sync owner to module_mgmt_worker",
        &[
            "table public.platform_rule_sync",
            "table grant public.platform_rule_sync: INSERT to module_mgmt_worker",
            "table grant public.platform_rule_sync: SELECT to module_mgmt_worker",
            "table grant public.platform_rule_sync: UPDATE to module_mgmt_worker",
        ],
        Cures,
    ),
    ("alter table public.platform_rule_sync set unlogged", &["table public.platform_rule_sync"], Cures),
    (
        "alter table public.platform_module_usage_daily set (fillfactor = 100, autovacuum_enabled = false)",
        &["table public.platform_module_usage_daily"],
        Cures,
    ),
    (
        "alter table public.platform_rule_sync set (autovacuum_enabled = false)",
        &["table public.platform_rule_sync"],
        Cures,
    ),
    // Tuning is no fault.
    ("alter table public.platform_rule_sync set (autovacuum_vacuum_scale_factor = 0.01)", &[], Cures),
    ("drop table public.platform_warming_target", &["table public.platform_warming_target"], Cures),
    (
        "alter table public.platform_module_audit alter column id drop identity",
        &["column public.platform_module_audit.id"],
        Cures,
    ),
    (
        "alter sequence public.platform_module_audit_id_seq maxvalue 100 cycle",
        &["sequence public.platform_module_audit_id_seq"],
        Cures,
    ),
    ("create table module_mgmt.notes (id integer)", &["table module_mgmt.notes"], Cures),
    (
        "alter table public.platform_module_registry alter column is_enabled set default true",
        &["column public.platform_module_registry.is_enabled"],
        Cures,
    ),
    (
        "alter table public.platform_module_registry alter column config drop not null",
        &["column public.platform_module_registry.config"],
        Cures,
    ),
    (
        "alter table public.platform_module_usage_reject alter column reason type varchar(100)",
        &["column public.platform_module_usage_reject.reason"],
        Cures,
    ),
    (
        "alter table public.platform_module_override add column note text",
        &["column public.platform_module_override.note"],
        Cures,
    ),
    (
        "alter table public.platform_rule_sync drop column last_error",
        &["column public.platform_rule_sync.last_error"],
        Cures,
    ),
    (
        "alter table public.platform_module_registry drop constraint a_deleted_module_is_disabled",
        &["constraint public.platform_module_registry: a_deleted_module_is_disabled"],
        Cures,
    ),
    (
        "alter table public.platform_module_registry drop constraint a_deleted_module_is_disabled,
           add constraint a_deleted_module_is_disabled check (deleted_at is null or not is_enabled) not valid",
        &["constraint public.platform_module_registry: a_deleted_module_is_disabled"],
        Cures,
    ),
    (
        "alter table public.platform_module_version drop constraint platform_module_version_pkey",
        &["constraint public.platform_module_version: platform_module_version_pkey"],
        Cures,
    ),
    ("drop index public.platform_module_audit_by_module", &["index public.platform_module_audit_by_module"], Cures),
    (
        "update pg_index set indisvalid = false where indexrelid = 'public.platform_module_audit_by_time'::regclass",
        &["index public.platform_module_audit_by_time"],
        Cures,
    ),
    ("create index by_actor on public.platform_module_audit (actor)", &["index public.by_actor"], Cures),
    (
        "create rule ignored as on insert to public.platform_rule_sync do instead nothing",
        &["rule public.platform_rule_sync: ignored"],
        Cures,
    ),
    (
        "create table public.child () inherits (public.platform_module_override)",
        &["child public.platform_module_override: public.child"],
        CuresAnd("drop table public.child"),
    ),
];

const STRANGERS: &[Sabotage] = &[
    (
        "create view public.everything as select * from public.platform_module_audit",
        &["view public.everything"],
        CuresAnd("drop view public.everything"),
    ),
    (
        "create view public.inner_view with (security_invoker = true) as select * from public.platform_module_audit;
         create view public.\"Outer view\" as select * from public.inner_view",
        &["view public.\"Outer view\""],
        CuresAnd("drop view public.\"Outer view\", public.inner_view"),
    ),
    (
        "create materialized view public.copy as select * from public.platform_module_override",
        &["view public.copy"],
        Cures,
    ),
    (
        "create publication leak for table public.platform_module_audit",
        &["publication leak: public.platform_module_audit"],
        CuresAnd("drop publication leak"),
    ),
    ("create sequence module_mgmt.numbers", &["sequence module_mgmt.numbers"], Cures),
    ("create domain module_mgmt.text as pg_catalog.text", &["type module_mgmt.text"], Cures),
    // A word about a table is no fault.
    ("comment on table public.platform_module_audit is 'Other words.'", &[], By("")),
    (
        "create table public.orders (id integer); create view public.open_orders as select * from public.orders",
        &[],
        By("drop table public.orders cascade"),
    ),
];

/// Faults, row 48.
#[tokio::test]
async fn sabotaged_functions_and_triggers_are_named_and_cured() {
    check(FUNCTIONS_AND_TRIGGERS).await;
}

/// Faults, row 48.
#[tokio::test]
async fn sabotaged_tables_are_named_and_cured() {
    check(TABLES).await;
}

/// Faults, row 48.
#[tokio::test]
async fn what_strangers_read_through_is_named_and_cured() {
    check(STRANGERS).await;
}
