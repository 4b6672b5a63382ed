//! The database that all others are copied from: bootstrap, schema and logins.

use std::hash::{DefaultHasher, Hash, Hasher};

use tokio_postgres::{Client, Config};

use super::server::{PASSWORD, REQUEST_LOGIN, WORKER_LOGIN, connect, run_prefix, sql_files};

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
        let unfinished = format!("{name}_unfinished");
        admin.batch_execute(&format!("drop database if exists {unfinished} with (force)")).await.unwrap();
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
    drop_leftovers(admin, name).await;
}

/// Drops templates of another schema and databases of failed tests of earlier runs: a few only, because somebody waits.
async fn drop_leftovers(admin: &Client, template: &str) {
    let leftovers = "select datname, datistemplate from pg_database
        where (datname like 'template\\_%' or datname like 'test\\_%') and not starts_with(datname, $1) and not starts_with(datname, $2)
        limit 20";
    for row in admin.query(leftovers, &[&run_prefix(), &template]).await.unwrap() {
        let (leftover, is_template): (&str, bool) = (row.get(0), row.get(1));
        if is_template {
            admin.batch_execute(&format!("alter database {leftover} is_template false")).await.unwrap();
        }
        // Two processes that made their templates at the same moment may mean the same one.
        admin.batch_execute(&format!("drop database if exists {leftover} with (force)")).await.unwrap();
    }
}

fn scripts() -> Vec<(&'static str, &'static str)> {
    ["bootstrap", "schema", "migrations"].into_iter().flat_map(sql_files).collect()
}
