//! The database that all others are copied from: bootstrap, schema and logins.

use std::hash::{DefaultHasher, Hash, Hasher};

use tokio_postgres::{Client, Config};

use super::{PASSWORD, REQUEST_LOGIN, WORKER_LOGIN, connect, run_prefix, sql_files};

/// It follows the SQL, so that a change makes a new template.
pub(super) fn name() -> String {
    let mut hasher = DefaultHasher::new();
    scripts().hash(&mut hasher);
    format!("template_{:016x}", hasher.finish())
}

/// Makes the template, unless another test process does so at the same moment. It has its name only when it is complete.
pub(super) async fn make(server: &Config, admin: &Client, name: &str) {
    admin.batch_execute("select pg_advisory_lock(4711)").await.unwrap();
    if admin.query_opt("select from pg_database where datname = $1", &[&name]).await.unwrap().is_none() {
        drop_leftovers(admin).await;
        let unfinished = format!("{name}_unfinished");
        admin.batch_execute(&format!("create database {unfinished} template template0")).await.unwrap();
        let client = connect(server, &unfinished).await;
        for (file, sql) in scripts() {
            client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{file}: {error:?}"));
        }
        for login in [REQUEST_LOGIN, WORKER_LOGIN] {
            client.batch_execute(&format!("alter role {login} password '{PASSWORD}'")).await.unwrap();
        }
        drop(client);
        admin.batch_execute(&format!("alter database {unfinished} rename to {name}")).await.unwrap();
    }
    admin.batch_execute("select pg_advisory_unlock(4711)").await.unwrap();
}

/// Templates of another schema, and databases of failed tests of earlier runs.
async fn drop_leftovers(admin: &Client) {
    let leftovers = "select datname from pg_database where datname like 'template\\_%' or datname like 'test\\_%'
        and not starts_with(datname, $1)";
    for row in admin.query(leftovers, &[&run_prefix()]).await.unwrap() {
        let leftover: &str = row.get(0);
        admin.batch_execute(&format!("alter database {leftover} is_template false")).await.unwrap();
        admin.batch_execute(&format!("drop database {leftover} with (force)")).await.unwrap();
    }
}

fn scripts() -> Vec<(&'static str, &'static str)> {
    ["bootstrap", "schema", "migrations"].into_iter().flat_map(sql_files).collect()
}
