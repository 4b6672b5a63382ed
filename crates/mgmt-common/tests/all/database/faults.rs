use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use mgmt_common::db::{Database, Error};
use mgmt_common::params;
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_testkit::database::{ConnectionMode, REQUEST_LOGIN, TestDatabase};
use mgmt_testkit::direct_and_through_pgbouncer;
use mgmt_testkit::flaky_proxy::FlakyProxy;
use mgmt_testkit::unreachable::{self, Unreachable};
use scoped_futures::ScopedFutureExt as _;
use serde_json::Value;
use tokio::task::JoinSet;

use super::{caller, doors, request, settings};

const IDENTITY: &str = "-- identity
    select current_user as who, session_user as login, coalesce(current_setting('request.jwt.claims', true), '') as claims";

fn is_unavailable<T: std::fmt::Debug>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Unavailable(_)))
}

#[tokio::test]
async fn an_unreachable_database_is_answered_inside_five_seconds() {
    let database = TestDatabase::create().await;
    let stalled = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stalled_port = stalled.local_addr().unwrap().port();
    let refused_port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let local = |what, url| Unreachable { what, url, ca_pem: None };
    let nowhere = database.url(REQUEST_LOGIN).replace(&database.name, "nowhere");
    let mut ways = unreachable::ways(&database, REQUEST_LOGIN).await;
    ways.extend([
        local("refused", format!("postgres://u:p@127.0.0.1:{refused_port}/db")),
        local("accepts and says nothing", format!("postgres://u:p@127.0.0.1:{stalled_port}/db")),
        local("no such database", nowhere),
    ]);
    // They wait at the same time.
    let mut checks = JoinSet::new();
    ways.into_iter().for_each(|way| drop(checks.spawn(is_answered_in_time(way))));
    checks.join_all().await;
}

async fn is_answered_in_time(Unreachable { what, url, ca_pem }: Unreachable) {
    let settings = DatabaseSettings { ca_pem, ..settings(url, DatabaseRole::Request) };
    let unreachable = Database::new(settings);
    let started = Instant::now();
    let read = unreachable.read_as::<Value>(&caller(true), IDENTITY, &[]).await;
    assert!(is_unavailable(&read), "{what}: {read:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{what} took {:?}", started.elapsed());
    assert!(!unreachable.answers().await, "{what}");
}

#[tokio::test]
async fn a_connection_that_died_while_the_sandbox_was_frozen_is_replaced_once() {
    let database = TestDatabase::create().await;
    let requests = request(&database);
    requests.read_as::<Value>(&caller(true), IDENTITY, &[]).await.unwrap();
    let kill = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    database.admin().await.batch_execute(kill).await.unwrap();
    requests.read_as::<Value>(&caller(true), IDENTITY, &[]).await.unwrap();
}

direct_and_through_pgbouncer!(a_cancelled_or_failed_transaction_leaves_no_claims_to_the_next_request);
async fn a_cancelled_or_failed_transaction_leaves_no_claims_to_the_next_request(mode: ConnectionMode) {
    let database = TestDatabase::create().await;
    let url = database.url_by(mode, REQUEST_LOGIN);
    let proxy = FlakyProxy::to(&url).await;
    // With one connection, every request comes after the one before.
    let settings = DatabaseSettings { pool_size: Some(1), ..settings(proxy.url(&url), DatabaseRole::Request) };
    let (requests, admin) = (Database::new(settings), caller(true));
    let left = "select current_user || ' ' || session_user || ' ' || coalesce(current_setting('request.jwt.claims', true), '')";
    let nothing = format!("{REQUEST_LOGIN} {REQUEST_LOGIN} ");
    // What the next request finds on its connection, and what one has found that did nothing but read.
    let assert_nothing_is_left = async |after: &str| {
        assert_eq!(requests.read_as::<Value>(&caller(false), IDENTITY, &[]).await.unwrap().len(), 1, "{after}");
        assert_eq!(proxy.ask(left).await, nothing, "{after}");
    };
    assert_nothing_is_left("a read").await;
    let hanging = requests.run_as(&admin, |tx| {
        async move {
            tx.execute("-- hang\nselect pg_sleep(30)::text", &[]).await?;
            Ok::<_, Error>(())
        }
        .scope_boxed()
    });
    assert!(tokio::time::timeout(Duration::from_millis(200), hanging).await.is_err());
    assert_nothing_is_left("a cancelled statement").await;
    let idle = requests.run_as(&admin, |_| {
        async move {
            std::future::pending::<()>().await;
            Ok::<_, Error>(())
        }
        .scope_boxed()
    });
    assert!(tokio::time::timeout(Duration::from_millis(200), idle).await.is_err());
    assert_nothing_is_left("a cancelled transaction").await;
    let failed: Result<(), Error> = requests
        .run_as(&admin, |tx| {
            async move {
                tx.execute("-- fail\nselect 1/0", &[]).await?;
                Ok(())
            }
            .scope_boxed()
        })
        .await;
    assert!(matches!(failed, Err(Error::Internal(_))), "{failed:?}");
    // This one's connection is kept, so it is asked before anybody else uses it.
    assert_eq!(proxy.ask(left).await, nothing, "a failed statement");
    requests.run_as(&admin, |_| async { Ok::<_, Error>(()) }.scope_boxed()).await.unwrap();
    assert_eq!(proxy.ask(left).await, nothing, "a commit");
}

#[tokio::test]
async fn a_failed_statement_that_is_ignored_does_not_look_like_a_commit() {
    let database = TestDatabase::create().await;
    let requests = request(&database);
    let result = requests
        .run_as(&caller(true), |tx| {
            async move {
                let _ = tx.execute("-- fail\nselect 1/0", &[]).await;
                Ok::<_, Error>(())
            }
            .scope_boxed()
        })
        .await;
    assert!(matches!(result, Err(Error::Internal(_))), "{result:?}");
}

#[tokio::test]
async fn deadlocks_are_retried_and_end_in_one_effect_each() {
    let database = TestDatabase::create().await;
    let requests = request(&database);
    let put = "-- put\ninsert into public.platform_lambda_config (config_key, config_value) values ($1, '0')";
    for key in ["a", "b"] {
        let key = &key.to_owned();
        requests
            .run_as(&caller(true), |tx| async move { tx.execute(put, params![key.as_str()]).await }.scope_boxed())
            .await
            .unwrap();
    }
    let bump = "-- bump\nupdate public.platform_lambda_config set config_value = to_jsonb(config_value::int + 1) where config_key = $1";
    // Both hold their first row before either asks for its second; a repetition meets nobody.
    let (both_hold_one, attempts) = (tokio::sync::Barrier::new(2), AtomicU32::new(0));
    let cross = async |first: &str, second: &str| {
        let is_first_attempt = AtomicBool::new(true);
        requests
            .run_as(&caller(true), |tx| {
                let (is_first_attempt, both_hold_one, attempts) = (&is_first_attempt, &both_hold_one, &attempts);
                async move {
                    attempts.fetch_add(1, Ordering::Relaxed);
                    tx.execute(bump, params![first]).await?;
                    if is_first_attempt.swap(false, Ordering::Relaxed) {
                        both_hold_one.wait().await;
                    }
                    tx.execute(bump, params![second]).await
                }
                .scope_boxed()
            })
            .await
    };
    let (one, other) = tokio::join!(cross("a", "b"), cross("b", "a"));
    one.unwrap();
    other.unwrap();
    assert_eq!(attempts.into_inner(), 3, "Postgres ends one of the two, once");
    let sums = database
        .admin()
        .await
        .query("select config_value::text from public.platform_lambda_config where config_key in ('a','b')", &[])
        .await
        .unwrap();
    assert_eq!(sums.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>(), ["2", "2"]);
}

#[tokio::test]
async fn a_statement_that_runs_too_long_or_a_standby_is_unavailable_and_a_missing_table_is_an_old_schema() {
    let database = TestDatabase::create().await;
    let requests = request(&database);
    let slow = requests.read_as::<Value>(&caller(true), "-- slow\nselect pg_sleep(20)::text as t", &[]).await;
    assert!(is_unavailable(&slow), "{slow:?}");

    let missing =
        requests.read_as::<Value>(&caller(true), "-- missing\nselect * from public.platform_no_such_table", &[]).await;
    assert!(matches!(missing, Err(Error::SchemaTooOld(_))), "{missing:?}");

    let admin = database.admin().await;
    let read_only = format!("alter database {} set default_transaction_read_only = on", database.name);
    admin.batch_execute(&read_only).await.unwrap();
    let standby = request(&database);
    let write = standby
        .run_as(&caller(true), |tx| {
            async move {
                tx.execute(
                    "-- w\ninsert into public.platform_lambda_config (config_key, config_value) values ('ro', '1')",
                    &[],
                )
                .await
            }
            .scope_boxed()
        })
        .await;
    assert!(is_unavailable(&write), "{write:?}");
}

direct_and_through_pgbouncer!(a_login_acts_only_as_its_own_role);
async fn a_login_acts_only_as_its_own_role(mode: ConnectionMode) {
    let database = TestDatabase::create().await;
    let (requests, workers) = doors(&database, mode);
    assert!(matches!(requests.read_as_worker::<Value>(IDENTITY, &[]).await, Err(Error::Internal(_))));
    assert!(matches!(workers.read_as::<Value>(&caller(true), IDENTITY, &[]).await, Err(Error::Internal(_))));
}
