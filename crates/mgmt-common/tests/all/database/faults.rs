use std::time::{Duration, Instant};

use mgmt_common::db::{Database, Error};
use mgmt_common::params;
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase};
use mgmt_testkit::unreachable::{self, Unreachable};
use scoped_futures::ScopedFutureExt as _;
use serde_json::Value;

use super::{caller, request, settings, ways};

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
    for Unreachable { what, url, ca_pem } in ways {
        let settings = DatabaseSettings { ca_pem, ..settings(url, DatabaseRole::Request) };
        let unreachable = Database::new(settings);
        let started = Instant::now();
        let read = unreachable.read_as::<Value>(&caller(true), IDENTITY, &[]).await;
        assert!(is_unavailable(&read), "{what}: {read:?}");
        assert!(started.elapsed() < Duration::from_secs(5), "{what} took {:?}", started.elapsed());
        assert!(!unreachable.answers().await, "{what}");
    }
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

#[tokio::test]
async fn a_cancelled_or_failed_transaction_leaves_no_claims_to_the_next_request() {
    let database = TestDatabase::create().await;
    let admin = caller(true);
    for (way, requests, _) in ways(&database) {
        let hanging = requests.run_as(&admin, |tx| {
            async move {
                tx.execute("-- hang\nselect pg_sleep(30)::text", &[]).await?;
                Ok::<_, Error>(())
            }
            .scope_boxed()
        });
        assert!(tokio::time::timeout(Duration::from_millis(200), hanging).await.is_err());
        let idle = requests.run_as(&admin, |_| {
            async move {
                std::future::pending::<()>().await;
                Ok::<_, Error>(())
            }
            .scope_boxed()
        });
        assert!(tokio::time::timeout(Duration::from_millis(200), idle).await.is_err());
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

        // What the login sees outside the doors: no role, no claims, no rows.
        let url = if way == "direct" { database.url(REQUEST_LOGIN) } else { database.pooled_url(REQUEST_LOGIN) };
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let rows = client.query_typed(IDENTITY, &[]).await.unwrap();
        let seen: [String; 3] = [0, 1, 2].map(|i| rows[0].get::<_, String>(i));
        assert_eq!(seen, [REQUEST_LOGIN.to_owned(), REQUEST_LOGIN.to_owned(), String::new()], "{way}");
    }
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
    let cross = async |first: &str, second: &str| {
        requests
            .run_as(&caller(true), |tx| {
                async move {
                    tx.execute(bump, params![first]).await?;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    tx.execute(bump, params![second]).await
                }
                .scope_boxed()
            })
            .await
    };
    let (one, other) = tokio::join!(cross("a", "b"), cross("b", "a"));
    one.unwrap();
    other.unwrap();
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
    assert!(matches!(missing, Err(Error::SchemaOutdated(_))), "{missing:?}");

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

#[tokio::test]
async fn a_login_acts_only_as_its_own_role() {
    let database = TestDatabase::create().await;
    for (_, requests, workers) in ways(&database) {
        assert!(matches!(requests.read_as_worker::<Value>(IDENTITY, &[]).await, Err(Error::Internal(_))));
        assert!(matches!(workers.read_as::<Value>(&caller(true), IDENTITY, &[]).await, Err(Error::Internal(_))));
    }
}
