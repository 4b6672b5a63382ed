use mgmt_common::db::{Error, Result, Transaction};
use mgmt_common::params;
use mgmt_testkit::database::{ConnectionMode, TestDatabase};
use mgmt_testkit::direct_and_through_pgbouncer;
use scoped_futures::{ScopedBoxFuture, ScopedFutureExt as _};
use serde::Deserialize;

use super::{caller, doors, request};

#[derive(Debug, Deserialize, PartialEq)]
struct Who {
    who: String,
    org: Option<String>,
    admin: bool,
}

const WHO: &str = "-- who
    select current_user as who, module_mgmt.get_current_org_id() as org, module_mgmt.is_platform_admin() as admin";

direct_and_through_pgbouncer!(a_read_runs_as_the_role_with_the_callers_claims);
async fn a_read_runs_as_the_role_with_the_callers_claims(mode: ConnectionMode) {
    let database = TestDatabase::create().await;
    let (requests, workers) = doors(&database, mode);
    for admin in [true, false] {
        let rows: Vec<Who> = requests.read_as(&caller(admin), WHO, &[]).await.unwrap();
        let expected = Who { who: "module_mgmt_request".into(), org: Some("org-a".into()), admin };
        assert_eq!(rows, [expected]);
    }
    let rows: Vec<Who> = workers.read_as_worker(WHO, &[]).await.unwrap();
    assert_eq!(rows, [Who { who: "module_mgmt_worker".into(), org: None, admin: false }]);
}

#[derive(Debug, Deserialize, PartialEq)]
struct Key {
    config_key: String,
}

const KEYS: &str = "-- keys\nselect config_key from public.platform_lambda_config order by 1";

direct_and_through_pgbouncer!(row_level_security_is_in_force_even_where_a_handler_is_wrong);
async fn row_level_security_is_in_force_even_where_a_handler_is_wrong(mode: ConnectionMode) {
    let database = TestDatabase::create().await;
    let (requests, workers) = doors(&database, mode);
    let seen = requests.read_as::<Key>(&caller(true), KEYS, &[]).await.unwrap();
    assert_eq!(seen, [Key { config_key: "lambda_warming".into() }]);
    assert_eq!(requests.read_as::<Key>(&caller(false), KEYS, &[]).await.unwrap(), []);
    assert_eq!(workers.read_as_worker::<Key>(KEYS, &[]).await.unwrap().len(), 1);

    assert!(matches!(requests.run_as(&caller(false), insert).await, Err(Error::Refused(_))));
    assert!(matches!(workers.run_as_worker(insert).await, Err(Error::Refused(_))));
}

fn insert<'tx>(tx: &'tx Transaction) -> ScopedBoxFuture<'static, 'tx, Result<u64>> {
    let statement = "-- insert\ninsert into public.platform_lambda_config (config_key, config_value) values ('x', '1')";
    async move { tx.execute(statement, &[]).await }.scope_boxed()
}

direct_and_through_pgbouncer!(hostile_text_stays_text);
async fn hostile_text_stays_text(mode: ConnectionMode) {
    let database = TestDatabase::create().await;
    let (requests, _) = doors(&database, mode);
    for text in [
        "'; reset role; --",
        "$1",
        "\\'",
        "');select set_config('role','postgres',true);--",
        "{\"a\":1}",
        "{,}",
        "\"",
        "NULL",
    ] {
        #[derive(Deserialize)]
        struct Echo {
            text: String,
            who: String,
        }
        let statement = "-- echo\nselect ($1)[1] as text, current_user as who";
        let rows: Vec<Echo> = requests.read_as(&caller(true), statement, &[Some(text)]).await.unwrap();
        assert_eq!((rows[0].text.as_str(), rows[0].who.as_str()), (text, "module_mgmt_request"));
    }
}

/// The role may write this row in a transaction, and the function may be called: nothing but the read keeps it from being written.
#[tokio::test]
async fn a_read_cannot_write() {
    let database = TestDatabase::create().await;
    database
        .arrange(
            "create function public.write(key text) returns text language sql as
               $$ insert into public.platform_lambda_config (config_key, config_value) values (key, '1') returning config_key $$;
             create sequence public.numbers; grant usage on sequence public.numbers to public",
        )
        .await;
    let requests = request(&database);
    let writes: [(&str, &[Option<&str>]); 3] = [
        ("-- write\nselect public.write(($1)[1]) as config_key", &[Some("read")]),
        ("-- number\nselect nextval('public.numbers')::text as config_key", &[]),
        (
            "-- unlock\nselect set_config('transaction_read_only', 'off', true) || public.write(($1)[1]) as config_key",
            &[Some("read")],
        ),
    ];
    for (statement, parameters) in writes {
        let result = requests.read_as::<Key>(&caller(true), statement, parameters).await;
        let said = format!("{result:?}");
        assert!(said.contains("read-only") || said.contains("transaction read-write mode"), "{statement}: {said}");
        // The failed read left nothing behind.
        assert_eq!(requests.read_as::<Who>(&caller(false), WHO, &[]).await.unwrap()[0].who, "module_mgmt_request");
    }
    assert_eq!(count(&requests, "read").await, 0);

    requests.run_as(&caller(true), write).await.unwrap();
    assert_eq!(count(&requests, "transaction").await, 1);
}

fn write<'tx>(tx: &'tx Transaction) -> ScopedBoxFuture<'static, 'tx, Result<()>> {
    let statement = "-- write\nselect public.write('transaction')";
    async move { tx.execute(statement, &[]).await.map(drop) }.scope_boxed()
}

#[tokio::test]
async fn a_login_can_do_nothing_but_become_its_role() {
    let database = TestDatabase::create().await;
    for (login, other) in [
        (mgmt_testkit::database::REQUEST_LOGIN, "module_mgmt_worker"),
        (mgmt_testkit::database::WORKER_LOGIN, "module_mgmt_request"),
    ] {
        let (client, connection) = tokio_postgres::connect(&database.url(login), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        for forbidden in [
            "select * from public.platform_lambda_config".to_owned(),
            format!("set role {other}"),
            "set role postgres".to_owned(),
            "set role service_role".to_owned(),
            "create table public.x ()".to_owned(),
        ] {
            let error = client.batch_execute(&forbidden).await.expect_err(&forbidden);
            assert_eq!(error.code().unwrap().code(), "42501", "{login}: {forbidden}");
        }
    }
}

direct_and_through_pgbouncer!(a_transaction_commits_on_success_and_leaves_nothing_on_error);
async fn a_transaction_commits_on_success_and_leaves_nothing_on_error(mode: ConnectionMode) {
    let database = TestDatabase::create().await;
    let (requests, _) = doors(&database, mode);
    let key = "k";
    let write = async |fail: bool| -> Result<()> {
        requests
            .run_as(&caller(true), |tx| async move {
                let statement = "-- write\ninsert into public.platform_lambda_config (config_key, config_value) values ($1, '1')";
                tx.execute(statement, params![key]).await?;
                if fail { Err(Error::NoSuchRow) } else { Ok(()) }
            }.scope_boxed())
            .await
    };
    assert!(write(true).await.is_err());
    assert_eq!(count(&requests, key).await, 0);
    write(false).await.unwrap();
    assert_eq!(count(&requests, key).await, 1);
}

async fn count(requests: &mgmt_common::db::Database, key: &str) -> usize {
    let statement = "-- count\nselect config_key from public.platform_lambda_config where config_key = ($1)[1]";
    requests.read_as::<Key>(&caller(true), statement, &[Some(key)]).await.unwrap().len()
}
