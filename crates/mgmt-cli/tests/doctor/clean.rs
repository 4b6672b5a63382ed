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
    assert!(said.starts_with("No findings; ") && !said.contains(" 0 probes"), "{said}");
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
    for expected in ["all that only the owner sees", "public.module_mgmt_schema_history", "who sees and may do what"] {
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
