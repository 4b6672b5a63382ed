//! Faults, row 40: again, at once, killed, changed, through a pooler.

use std::time::Duration;

use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase};

use crate::bed::{FILES, applied, fingerprint, migrate, plain, refusal, said, text};

/// Faults, row 40.
#[tokio::test]
async fn a_second_run_applies_nothing() {
    let database = TestDatabase::empty().await;
    assert_eq!(applied(migrate(&database.admin_url())).await, FILES);
    let before = fingerprint(&database).await;
    assert_eq!(applied(migrate(&database.admin_url())).await, Vec::<String>::new());
    assert_eq!(fingerprint(&database).await, before);
    let people = plain(&database.admin_url()).output().await.unwrap();
    assert_eq!(String::from_utf8(people.stdout.clone()).unwrap(), "The schema is up to date.\n", "{people:?}");
}

/// Faults, row 40.
#[tokio::test]
async fn of_two_runners_at_once_each_file_is_applied_by_one() {
    let database = TestDatabase::empty().await;
    let url = database.admin_url();
    let (one, other) = tokio::join!(applied(migrate(&url)), applied(migrate(&url)));
    assert_eq!([one, other].concat(), FILES);
}

/// Faults, row 40.
#[tokio::test]
async fn a_run_that_is_killed_half_way_is_completed_by_the_next() {
    let database = TestDatabase::empty().await;
    let admin = database.admin().await;
    // 002 makes this schema; until the test ends its own transaction, 002 waits.
    admin.batch_execute("begin; create schema module_mgmt").await.unwrap();
    let mut killed = migrate(&database.admin_url()).spawn().unwrap();
    let looking = database.admin().await;
    let waits = "select count(*)::text from pg_stat_activity
        where datname = current_database() and application_name = 'mgmt migrate' and wait_event_type = 'Lock'";
    while text(&looking, waits).await != "1" {
        assert!(killed.try_wait().unwrap().is_none(), "the run ended before it could be killed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    killed.kill().await.unwrap();
    let whole_files = "select string_agg(version::text, ',') from module_mgmt_schema_history";
    assert_eq!(text(&looking, whole_files).await, "1", "half a file was left");
    assert_eq!(text(&looking, "select count(*)::text from pg_policies").await, "0");

    admin.batch_execute("rollback").await.unwrap();
    let rest = applied(migrate(&database.admin_url())).await;
    // The dead run's server process may still have finished what it waited for; whole files either way.
    assert!(FILES[1..].ends_with(&rest.iter().map(String::as_str).collect::<Vec<_>>()), "{rest:?}");
    let fresh = TestDatabase::empty().await;
    applied(migrate(&fresh.admin_url())).await;
    assert_eq!(fingerprint(&database).await, fingerprint(&fresh).await);
}

/// Faults, row 40.
#[tokio::test]
async fn a_file_that_changed_after_it_was_applied_is_refused() {
    let database = TestDatabase::empty().await;
    applied(migrate(&database.admin_url())).await;
    let admin = database.admin().await;
    admin.batch_execute("update module_mgmt_schema_history set checksum = '1' where version = 2").await.unwrap();
    let said = refusal(migrate(&database.admin_url())).await;
    assert!(said.contains("rls_policies") && said.contains("different"), "{said}");
}

/// As a database of an earlier release: it has an earlier text of 004, and none of the files that came later.
/// Faults, row 40.
#[tokio::test]
async fn a_schema_file_of_an_earlier_release_is_applied_again_and_all_that_follow_it() {
    let database = TestDatabase::empty().await;
    applied(migrate(&database.admin_url())).await;
    let before = fingerprint(&database).await;
    let admin = database.admin().await;
    let earlier = "update module_mgmt_schema_history set checksum = '15321426329603462172' where version = 4;
        delete from module_mgmt_schema_history where version > 5;
        comment on table platform_module_usage is 'as it was';
        drop policy \"The definer keeps events\" on platform_module_usage";
    admin.batch_execute(earlier).await.unwrap();
    assert_eq!(applied(migrate(&database.admin_url())).await, FILES[3..]);
    assert!(fingerprint(&database).await == before, "the schema is not what a fresh database has");

    // Beside an unknown text nothing is applied again.
    let unknown = "update module_mgmt_schema_history set checksum = '15321426329603462172' where version = 4;
        update module_mgmt_schema_history set checksum = '1' where version = 6";
    admin.batch_execute(unknown).await.unwrap();
    let said = refusal(migrate(&database.admin_url())).await;
    assert!(said.contains("different"), "{said}");
    assert_eq!(text(&admin, "select count(*)::text from module_mgmt_schema_history").await, "9");
}

/// As a database of commit 0bf5a9f, with a day that was sealed there. Renamed things are found under their new names only.
/// Faults, row 40.
#[tokio::test]
async fn what_a_release_renames_keeps_its_rows() {
    let database = TestDatabase::empty().await;
    applied(migrate(&database.admin_url())).await;
    let before = fingerprint(&database).await;
    let admin = database.admin().await;
    let earlier = "update module_mgmt_schema_history set checksum = '6521842942741742764' where version = 3;
        alter table platform_module_usage_sealed_day rename to platform_module_usage_day;
        alter table platform_module_usage_day rename constraint platform_module_usage_sealed_day_pkey to platform_module_usage_day_pkey;
        insert into platform_module_usage_day (usage_date, events) values ('2024-07-10', 3);
        alter trigger lock_registry on platform_module_registry rename to a_lock;
        alter trigger forbid_change on platform_module_audit rename to a_stay;
        alter function platform_module_audit_is_append_only() rename to platform_module_audit_stays;
        alter trigger forbid_change on platform_module_usage rename to a_stay;
        alter function platform_module_usage_is_append_only() rename to platform_module_usage_stays";
    admin.batch_execute(earlier).await.unwrap();
    assert_eq!(applied(migrate(&database.admin_url())).await, FILES[2..]);
    assert!(fingerprint(&database).await == before, "the schema is not what a fresh database has");
    assert_eq!(text(&admin, "select sum(events)::text from platform_module_usage_sealed_day").await, "3");
}

/// A session lock means nothing where a pooler lends the session to others.
/// Faults, row 40.
#[tokio::test]
async fn a_transaction_pooler_is_refused_before_anything_happens() {
    let database = TestDatabase::empty().await;
    applied(migrate(&database.admin_url())).await;
    let before = fingerprint(&database).await;
    let said = refusal(migrate(&database.pooled_url(REQUEST_LOGIN))).await;
    assert!(said.contains("goes through a pooler; migrate needs a direct one"), "{said}");
    assert_eq!(fingerprint(&database).await, before);
}

#[tokio::test]
async fn what_cannot_be_reached_or_was_not_said_ends_with_a_sentence() {
    let unreachable = refusal(plain("postgres://postgres:secret@127.0.0.1:1/db")).await;
    assert!(unreachable.contains("Connection refused") && !unreachable.contains("secret"), "{unreachable}");
    let mut missing = plain("");
    let output = missing.env_remove("DATABASE_ADMIN_URL").output().await.unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

/// The login is right and may not do it.
#[tokio::test]
async fn a_login_without_the_right_to_migrate_is_told_so() {
    let database = TestDatabase::create().await;
    let said = refusal(plain(&database.url(REQUEST_LOGIN))).await;
    assert!(said.contains("permission denied"), "{said}");
}
