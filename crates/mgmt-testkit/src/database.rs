//! A throw-away database for each test, on the real Postgres that `mgmt dev --only database` runs.
//!
//! The schema is loaded once into a template; each test gets a copy of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

use std::hash::{DefaultHasher, Hash, Hasher};

use include_dir::{Dir, include_dir};
use tokio_postgres::{Client, Config, NoTls};

static DB: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../db");

pub const REQUEST_LOGIN: &str = "module_mgmt_request_login";
pub const WORKER_LOGIN: &str = "module_mgmt_worker_login";
/// Password of both logins on the test server.
pub const PASSWORD: &str = "local-only";

/// A database of its own, with bootstrap, schema and logins.
pub struct TestDatabase {
    pub name: String,
    server: Config,
}

impl TestDatabase {
    /// # Panics
    /// Without the test server: run tests through `scripts/test`, or inside `mgmt dev --only database --`.
    pub async fn create() -> Self {
        let server = server();
        let admin = connect(&server, "postgres").await;
        let template = template(&server, &admin).await;
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        admin.batch_execute(&format!("create database {name} template {template}")).await.unwrap();
        Self { name, server }
    }

    /// An empty database: no bootstrap, no schema.
    pub async fn empty() -> Self {
        let server = server();
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let admin = connect(&server, "postgres").await;
        admin.batch_execute(&format!("create database {name} template template0")).await.unwrap();
        Self { name, server }
    }

    /// A connection as superuser, to arrange and inspect.
    pub async fn admin(&self) -> Client {
        connect(&self.server, &self.name).await
    }

    pub fn admin_url(&self) -> String {
        let password = String::from_utf8(self.server.get_password().unwrap().to_vec()).unwrap();
        format!("postgres://postgres:{password}@127.0.0.1:{}/{}", self.server.get_ports()[0], self.name)
    }

    /// The URL of one of the two logins, direct.
    pub fn url(&self, login: &str) -> String {
        format!("postgres://{login}:{PASSWORD}@127.0.0.1:{}/{}", self.server.get_ports()[0], self.name)
    }

    /// The same through PgBouncer in transaction mode.
    pub fn pooled_url(&self, login: &str) -> String {
        format!("postgres://{login}:{PASSWORD}@{}/{}", variable("TEST_PGBOUNCER"), self.name)
    }
}

/// The files of `db/<folder>` in name order, name and text.
pub fn sql_files(folder: &str) -> Vec<(&'static str, &'static str)> {
    let mut files: Vec<_> = DB
        .get_dir(folder)
        .into_iter()
        .flat_map(Dir::files)
        .filter_map(|file| Some((file.path().file_name()?.to_str()?, file.contents_utf8()?)))
        .collect();
    files.sort_unstable();
    files
}

fn server() -> Config {
    variable("TEST_DATABASE_URL").parse().expect("TEST_DATABASE_URL is a Postgres URL")
}

#[expect(clippy::disallowed_methods, reason = "the test server's address is no setting of a function")]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run tests through scripts/test"))
}

async fn connect(server: &Config, database: &str) -> Client {
    let (client, connection) = server.clone().dbname(database).connect(NoTls).await.expect("the test server answers");
    tokio::spawn(connection);
    client
}

/// Makes the template unless another test process has made it; its name follows the SQL, so a change makes a new one.
async fn template(server: &Config, admin: &Client) -> String {
    let scripts: Vec<_> = ["bootstrap", "schema", "migrations"].into_iter().flat_map(sql_files).collect();
    let mut hasher = DefaultHasher::new();
    scripts.hash(&mut hasher);
    let name = format!("template_{:016x}", hasher.finish());

    admin.batch_execute("select pg_advisory_lock(4711)").await.unwrap();
    let exists =
        admin.query_opt("select from pg_database where datname = $1 and datistemplate", &[&name]).await.unwrap();
    if exists.is_none() {
        admin.batch_execute(&format!("drop database if exists {name}")).await.unwrap();
        admin.batch_execute(&format!("create database {name} template template0")).await.unwrap();
        let client = connect(server, &name).await;
        for (file, sql) in scripts {
            client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{file}: {error:?}"));
        }
        for login in [REQUEST_LOGIN, WORKER_LOGIN] {
            client.batch_execute(&format!("alter role {login} password '{PASSWORD}'")).await.unwrap();
        }
        drop(client);
        admin.batch_execute(&format!("alter database {name} is_template true")).await.unwrap();
    }
    admin.batch_execute("select pg_advisory_unlock(4711)").await.unwrap();
    name
}
