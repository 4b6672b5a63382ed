//! What is well is not named, and whoever cannot see says so.

use std::time::{Duration, Instant};

use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase};

use crate::bed::{doctor, mgmt, migrated};

#[tokio::test]
async fn a_clean_database_has_no_findings_and_is_examined_in_under_ten_seconds() {
    let database = migrated().await;
    let began = Instant::now();
    let output = mgmt(&["doctor"], &database.admin_url()).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("No findings. 4"), "{said}");
}

/// Rows, and numbers of sequences.
#[tokio::test]
async fn the_probes_leave_nothing() {
    let database = migrated().await;
    let contents = "select string_agg(answer, ' ' order by answer) from (
        select relname || ':' || (xpath('//text()', query_to_xml(format('select md5(coalesce(string_agg(t::text, '','' order by t::text), '''')) from %s t', oid::regclass), true, true, '')))[2]::text as answer
        from pg_class where relkind in ('r', 'p') and (relname like 'platform%' or relname like 'usage%')
        union all select sequencename || coalesce(last_value, 0) from pg_sequences where schemaname = 'public') as contents";
    let before = database.look(contents).await;
    assert_eq!(doctor(&database.admin_url()).await, []);
    assert_eq!(database.look(contents).await, before);
    assert!(
        before.contains("platform_module_registry:") && before.contains("platform_module_audit_id_seq"),
        "{before}"
    );
}

#[tokio::test]
async fn a_login_that_is_neither_owner_nor_superuser_says_what_it_does_not_see() {
    drop(TestDatabase::create().await);
    let database = migrated().await;
    let findings = doctor(&database.url(REQUEST_LOGIN)).await;
    let objects: Vec<_> = findings.iter().map(|(object, _)| object.as_str()).collect();
    assert!(objects.iter().all(|object| object.starts_with("not seen ")), "{objects:?}");
    for expected in ["the rows of our tables", "public.module_mgmt_schema_history", "what each role may do"] {
        assert!(objects.iter().any(|object| object.ends_with(expected)), "{expected}: {objects:?}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_one_sentence_and_wrong_usage_is_another_exit_code() {
    let output = mgmt(&["doctor"], "postgres://postgres:secret@127.0.0.1:1/db").await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("Connection refused") && !said.contains("secret"), "{said}");
    assert_eq!(mgmt(&["doctor", "--colour"], "").await.status.code(), Some(2));
}

/// The catalog alone would name these too; here the probes do.
#[tokio::test]
async fn the_probes_notice_rights_by_themselves() {
    let database = migrated().await;
    database
        .arrange(&format!(
            "grant select on public.platform_module_version to public; grant temporary on database {} to public;
             grant select (config) on public.platform_module_registry to authenticated;
             grant usage on sequence public.platform_module_audit_id_seq to authenticated;
             grant delete on public.platform_module_usage_daily to module_mgmt_worker;
             grant create on schema public to anon",
            database.name
        ))
        .await;
    let findings = doctor(&database.admin_url()).await;
    for expected in [
        "nobody as anon reads public.platform_module_version",
        "module_mgmt_request makes a temporary table",
        "a platform admin as authenticated reads public.platform_module_registry.config",
        "authenticated counts sequences up or sets them",
        "module_mgmt_worker deletes public.platform_module_usage_daily",
        "anon makes a table in public",
    ] {
        assert!(findings.iter().any(|(object, _)| *object == format!("probe {expected}")), "{expected}: {findings:#?}");
    }
}

/// A number that a sequence gave away stays given away: it would tell that a stranger's function ran.
#[tokio::test]
async fn doctor_runs_no_code_of_strangers() {
    let database = migrated().await;
    let evidence = "create sequence public.evidence; grant usage on sequence public.evidence to public;
        create function public.seen() returns boolean language sql volatile as 'select nextval(''public.evidence'') > 0';
        create function public.fired() returns trigger language plpgsql as 'begin perform nextval(''public.evidence''); return new; end'";
    database.arrange(evidence).await;
    for (hostile, harmless) in [
        (
            "create policy \"Seen\" on public.platform_module_registry for select to public using (public.seen())",
            "drop policy \"Seen\" on public.platform_module_registry",
        ),
        (
            "create trigger fires before insert on public.platform_lambda_config for each row execute function public.fired();
             alter table public.platform_lambda_config enable always trigger fires",
            "drop trigger fires on public.platform_lambda_config",
        ),
        (
            "alter table public.platform_module_registry add constraint seen check (public.seen())",
            "alter table public.platform_module_registry drop constraint seen",
        ),
        (
            "alter table public.platform_warming_run alter column note set default public.seen()::text",
            "alter table public.platform_warming_run alter column note drop default",
        ),
        (
            "drop table public.platform_rule_sync;
             create view public.platform_rule_sync as select 'x' as config_key, now() + interval '1 day' as lease_until where public.seen()",
            "",
        ),
    ] {
        database.arrange(&format!("{hostile}; alter sequence public.evidence restart")).await;
        assert_eq!(doctor(&database.admin_url()).await.len(), 1, "{hostile}");
        assert_eq!(database.look("select is_called::text from public.evidence").await, "false", "{hostile}");
        database.arrange(harmless).await;
    }
}

/// Whoever makes an object chooses its name; an administrator pastes the cure.
#[tokio::test]
async fn a_cure_with_a_hostile_name_does_only_what_it_says() {
    const NAME: &str = "\"x: y.z\"\"; drop table public.platform_module_version; --\"";
    // A view and an index share their names.
    let other_name = NAME.replace("x:", "i:");
    let database = migrated().await;
    database
        .arrange(&format!(
            "create policy {NAME} on public.platform_module_audit for select to authenticated using (false);
             alter table public.platform_module_override add column {NAME} text;
             grant select ({NAME}) on public.platform_module_override to anon;
             create view public.{NAME} as select * from public.platform_module_audit;
             create table module_mgmt.{NAME} (id integer);
             create index {other_name} on public.platform_module_usage_reject (reason);
             alter table public.platform_rule_sync add constraint {NAME} check (true);
             create function module_mgmt.{NAME}({NAME} integer) returns integer language sql return 1;
             create rule {NAME} as on insert to public.platform_warming_target do also nothing"
        ))
        .await;
    let findings = doctor(&database.admin_url()).await;
    assert_eq!(findings.len(), 8, "{findings:#?}");
    for (_, cure) in findings {
        database.arrange(&cure).await;
    }
    database.arrange(&format!("drop view public.{NAME}")).await;
    assert_eq!(doctor(&database.admin_url()).await, []);
}

/// What nobody has migrated is one long list, and its cure is to migrate.
#[tokio::test]
async fn an_empty_database_is_told_to_be_migrated() {
    drop(TestDatabase::create().await);
    let database = TestDatabase::empty().await;
    let findings = doctor(&database.admin_url()).await;
    let tables = findings.iter().filter(|(object, _)| object.starts_with("table public.platform_"));
    assert_eq!(tables.filter(|(_, cure)| cure.starts_with("mgmt migrate")).count(), 15, "{findings:#?}");
}

/// A policy of somebody else stays a warning: `mgmt migrate` cannot know whether it is wanted. All else that it does not mend fails it.
#[tokio::test]
async fn migrate_ends_with_the_same_look() {
    let database = migrated().await;
    database
        .arrange("create policy \"Auditors\" on public.platform_module_audit for select to authenticated using (false)")
        .await;
    let output = mgmt(&["migrate"], &database.admin_url()).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("policy public.platform_module_audit: \"Auditors\""), "{said}");

    database.arrange("grant truncate on public.platform_module_audit to authenticated").await;
    let output = mgmt(&["migrate"], &database.admin_url()).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("revoke TRUNCATE on table public.platform_module_audit from authenticated;"), "{said}");

    let output = mgmt(&["migrate", "--again"], &database.admin_url()).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
