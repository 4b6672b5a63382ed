//! A throw-away database for each test, on the real Postgres that `mgmt dev --only database` runs.
//!
//! The schema is loaded once into a template; each test gets a copy of it, which is dropped when the test ends.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

mod mode;
mod server;
mod template;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config};

pub use mode::ConnectionMode;
pub use server::{PASSWORD, REQUEST_LOGIN, WORKER_LOGIN, sql_files};
use server::{connect, run_prefix, server, variable};

/// A database of its own, with bootstrap, schema and logins.
#[derive(Debug)]
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
        let (name, template) = (new_name(), template::name());
        let create = format!("create database {name} template {template}");
        match admin.batch_execute(&create).await {
            // The first test of a schema makes its template; all others find it.
            Err(error) if error.code() == Some(&SqlState::INVALID_CATALOG_NAME) => {
                template::make(&server, &admin, &template).await;
                admin.batch_execute(&create).await.unwrap();
            }
            result => result.unwrap(),
        }
        Self { name, server }
    }

    /// An empty database: no bootstrap, no schema.
    pub async fn empty() -> Self {
        let (server, name) = (server(), new_name());
        let admin = connect(&server, "postgres").await;
        admin.batch_execute(&format!("create database {name} template template0")).await.unwrap();
        Self { name, server }
    }

    /// Runs statements as superuser, past row-level security.
    pub async fn arrange(&self, statements: &str) {
        self.admin().await.batch_execute(statements).await.unwrap();
    }

    /// One text, read as superuser; empty for null.
    pub async fn look(&self, statement: &str) -> String {
        let row = self.admin().await.query_one(statement, &[]).await.unwrap();
        row.get::<_, Option<String>>(0).unwrap_or_default()
    }

    /// A connection as superuser, to arrange and inspect.
    pub async fn admin(&self) -> Client {
        connect(&self.server, &self.name).await
    }

    pub fn admin_url(&self) -> String {
        let password = String::from_utf8(self.server.get_password().unwrap().to_vec()).unwrap();
        format!("postgres://postgres:{password}@127.0.0.1:{}/{}", self.server.get_ports()[0], self.name)
    }

    /// The URLs of the request login and of the worker login.
    pub fn urls(&self, mode: ConnectionMode) -> (String, String) {
        (self.url_by(mode, REQUEST_LOGIN), self.url_by(mode, WORKER_LOGIN))
    }

    pub fn url_by(&self, mode: ConnectionMode, login: &str) -> String {
        match mode {
            ConnectionMode::Direct => self.url(login),
            ConnectionMode::PgBouncer => self.pooled_url(login),
        }
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

/// A test's database ends with it, whoever is still connected. That of a failed test stays, to be looked at.
impl Drop for TestDatabase {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let (server, name) = (self.server.clone(), self.name.clone());
        // The test's own runtime cannot be waited for inside itself.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let drop = format!("drop database if exists {name} with (force)");
                connect(&server, "postgres").await.batch_execute(&drop).await.unwrap();
            });
        });
        dropping.join().expect("the test's database can be dropped");
    }
}

fn new_name() -> String {
    format!("{}{}", run_prefix(), uuid::Uuid::new_v4().simple())
}
