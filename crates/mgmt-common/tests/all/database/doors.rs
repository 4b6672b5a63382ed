use mgmt_common::db::{Error, Result, Transaction};
use mgmt_common::params;
use mgmt_testkit::database::TestDatabase;
use scoped_futures::{ScopedBoxFuture, ScopedFutureExt as _};
use serde::Deserialize;

use super::{caller, request, ways};

#[derive(Debug, Deserialize, PartialEq)]
struct Who {
    who: String,
    org: Option<String>,
    admin: bool,
}

const WHO: &str = "-- who
    select current_user as who, module_mgmt.get_current_org_id() as org, module_mgmt.is_platform_admin() as admin";

#[tokio::test]
async fn a_read_runs_as_the_role_with_the_callers_claims_in_every_way_in() {
    let database = TestDatabase::create().await;
    for (way, requests, workers) in ways(&database) {
        for admin in [true, false] {
            let rows: Vec<Who> = requests.read_as(&caller(admin), WHO, &[]).await.unwrap();
            let expected = Who { who: "module_mgmt_request".into(), org: Some("org-a".into()), admin };
            assert_eq!(rows, [expected], "{way}");
        }
        let rows: Vec<Who> = workers.read_as_worker(WHO, &[]).await.unwrap();
        assert_eq!(rows, [Who { who: "module_mgmt_worker".into(), org: None, admin: false }], "{way}");
    }
}

#[derive(Debug, Deserialize, PartialEq)]
struct Key {
    config_key: String,
}

const KEYS: &str = "-- keys\nselect config_key from public.platform_lambda_config order by 1";

#[tokio::test]
async fn row_level_security_is_in_force_even_where_a_handler_is_wrong() {
    let database = TestDatabase::create().await;
    for (way, requests, workers) in ways(&database) {
        let seen = requests.read_as::<Key>(&caller(true), KEYS, &[]).await.unwrap();
        assert_eq!(seen, [Key { config_key: "lambda_warming".into() }], "{way}");
        assert_eq!(requests.read_as::<Key>(&caller(false), KEYS, &[]).await.unwrap(), [], "{way}");
        assert_eq!(workers.read_as_worker::<Key>(KEYS, &[]).await.unwrap().len(), 1, "{way}");

        assert!(matches!(requests.run_as(&caller(false), insert).await, Err(Error::Refused(_))), "{way}");
        assert!(matches!(workers.run_as_worker(insert).await, Err(Error::Refused(_))), "{way}");
    }
}

fn insert<'tx>(tx: &'tx Transaction) -> ScopedBoxFuture<'static, 'tx, Result<u64>> {
    let statement = "-- insert\ninsert into public.platform_lambda_config (config_key, config_value) values ('x', '1')";
    async move { tx.execute(statement, &[]).await }.scope_boxed()
}

#[tokio::test]
async fn hostile_text_stays_text() {
    let database = TestDatabase::create().await;
    for (way, requests, _) in ways(&database) {
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
            assert_eq!((rows[0].text.as_str(), rows[0].who.as_str()), (text, "module_mgmt_request"), "{way}");
        }
    }
}

#[tokio::test]
async fn a_read_cannot_write() {
    let database = TestDatabase::create().await;
    let statement = "-- write\nselect set_config('transaction_read_only', 'off', true), module_mgmt.claims()";
    let requests = request(&database);
    let result = requests.read_as::<serde_json::Value>(&caller(true), statement, &[]).await;
    assert!(result.is_err(), "a read became a write: {result:?}");
    // The failed read left nothing behind.
    assert_eq!(requests.read_as::<Who>(&caller(false), WHO, &[]).await.unwrap()[0].who, "module_mgmt_request");
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

#[tokio::test]
async fn a_transaction_commits_on_success_and_leaves_nothing_on_error() {
    let database = TestDatabase::create().await;
    for (way, requests, _) in ways(&database) {
        let key = &format!("k {way}");
        let write = async |fail: bool| -> Result<()> {
            requests
                .run_as(&caller(true), |tx| async move {
                    let statement = "-- write\ninsert into public.platform_lambda_config (config_key, config_value) values ($1, '1')";
                    tx.execute(statement, params![key.as_str()]).await?;
                    if fail { Err(Error::NoSuchRow) } else { Ok(()) }
                }.scope_boxed())
                .await
        };
        assert!(write(true).await.is_err());
        assert_eq!(count(&requests, key).await, 0, "{way}");
        write(false).await.unwrap();
        assert_eq!(count(&requests, key).await, 1, "{way}");
    }
}

async fn count(requests: &mgmt_common::db::Database, key: &str) -> usize {
    let statement = "-- count\nselect config_key from public.platform_lambda_config where config_key = ($1)[1]";
    requests.read_as::<Key>(&caller(true), statement, &[Some(key)]).await.unwrap().len()
}
