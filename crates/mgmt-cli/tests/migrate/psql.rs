//! The same files without this program: plain SQL in name order, twice.

use std::process::Stdio;

use mgmt_testkit::database::{TestDatabase, sql_files};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::bed::{applied, fingerprint, migrate};

#[tokio::test]
async fn the_files_run_twice_as_plain_sql_and_leave_what_mgmt_migrate_leaves() {
    let migrated = TestDatabase::empty().await;
    applied(migrate(&migrated.admin_url())).await;
    migrated.admin().await.batch_execute("drop table module_mgmt_schema_history").await.unwrap();
    let database = TestDatabase::empty().await;
    let client = database.admin().await;
    for (file, sql) in [sql_files("bootstrap"), sql_files("schema"), sql_files("schema")].concat() {
        client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{file}: {error:?}"));
    }
    assert_eq!(fingerprint(&database).await, fingerprint(&migrated).await);
}

#[tokio::test]
async fn the_files_run_twice_through_psql() {
    let database = TestDatabase::empty().await;
    for (file, sql) in [sql_files("bootstrap"), sql_files("schema"), sql_files("schema")].concat() {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", &database.admin_url()]);
        psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = psql.spawn().expect("psql is installed; scripts/test does that");
        running.stdin.take().unwrap().write_all(sql.as_bytes()).await.unwrap();
        let output = running.wait_with_output().await.unwrap();
        assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A managed server has no superuser: the owner of the database is bound by the forced policies too.
/// The roles were made for another database of the server; handing functions to one of them takes membership.
#[tokio::test]
async fn the_files_run_twice_as_an_owner_who_is_no_superuser() {
    let fresh = TestDatabase::empty().await;
    applied(migrate(&fresh.admin_url())).await;
    let database = TestDatabase::empty().await;
    let owner = format!("owner_{}", &database.name[database.name.len() - 12..]);
    let admin = database.admin().await;
    admin
        .batch_execute(&format!(
            "create role {owner} login createrole password 'owner'; alter database {} owner to {owner};
             grant module_mgmt_definer to {owner}",
            database.name
        ))
        .await
        .unwrap();
    let url = database.admin_url();
    let (_, address) = url.split_once('@').unwrap();
    let (client, connection) =
        tokio_postgres::connect(&format!("postgres://{owner}:owner@{address}"), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    for (file, sql) in [sql_files("bootstrap"), sql_files("schema"), sql_files("schema")].concat() {
        client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{file}: {error:?}"));
    }
    let forced =
        "select count(*) from pg_class where relname like 'platform%' and relkind = 'r' and not relforcerowsecurity";
    assert_eq!(client.query_one(forced, &[]).await.unwrap().get::<_, i64>(0), 0);
    admin.batch_execute(&format!("reassign owned by {owner} to postgres; drop owned by {owner}")).await.unwrap();
    admin
        .batch_execute(&format!("alter database {} owner to postgres; drop role {owner}", database.name))
        .await
        .unwrap();
}
