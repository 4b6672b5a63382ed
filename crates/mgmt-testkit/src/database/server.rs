//! The test server, its logins, and the SQL that its databases are made from.

use include_dir::{Dir, include_dir};
use tokio_postgres::{Client, Config, NoTls};

static DB: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../db");

pub const REQUEST_LOGIN: &str = "module_mgmt_request_login";
pub const WORKER_LOGIN: &str = "module_mgmt_worker_login";
/// Password of both logins on the test server.
pub const PASSWORD: &str = "local-only";

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

/// What the databases of this run of the tests begin with.
pub(super) fn run_prefix() -> String {
    let run = optional_variable("NEXTEST_RUN_ID").unwrap_or_default();
    format!("test_{}_", run.get(..8).unwrap_or("one"))
}

pub(super) fn server() -> Config {
    variable("TEST_DATABASE_URL").parse().expect("TEST_DATABASE_URL is a Postgres URL")
}

pub(super) fn variable(name: &str) -> String {
    optional_variable(name).unwrap_or_else(|| panic!("{name} is not set: run tests through scripts/test"))
}

#[expect(clippy::disallowed_methods, reason = "a test run is no setting of a function")]
fn optional_variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

pub(super) async fn connect(server: &Config, database: &str) -> Client {
    let (client, connection) = server.clone().dbname(database).connect(NoTls).await.expect("the test server answers");
    tokio::spawn(connection);
    client
}
