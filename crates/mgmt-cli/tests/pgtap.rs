//! db/tests with pgTAP: one test per file. PGTAP_SQL is the path that `scripts/fetch-pgtap` prints.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

use mgmt_testkit::database::{TestDatabase, sql_files};
use tokio_postgres::{Client, SimpleQueryMessage};

macro_rules! files {
    ($($name:ident: $file:literal,)*) => {
        $(#[tokio::test]
        async fn $name() {
            run($file).await;
        })*

        #[test]
        fn every_file_is_run() {
            let files: Vec<&str> = sql_files("tests").into_iter().map(|(name, _)| name).collect();
            assert_eq!(files, [$($file),*], "a new file needs a line in {}", file!());
        }
    };
}

files! {
    who_may_do_what: "001-who-may-do-what.sql",
    whole_schema: "002-whole-schema.sql",
    who_may_do_what_with_modules: "003-who-may-do-what-with-modules.sql",
    who_may_do_what_with_usage: "004-who-may-do-what-with-usage.sql",
}

async fn run(file: &str) {
    let (_, sql) = sql_files("tests").into_iter().find(|(name, _)| *name == file).unwrap();
    let database = TestDatabase::create().await;
    let client = database.admin().await;
    load_pgtap(&client).await;
    let lines = tap(&client, sql).await;
    let results: Vec<&String> = lines.iter().filter(|line| is_result(line)).collect();
    let failures: Vec<&str> = lines.iter().filter(|line| !line.starts_with("ok ")).map(String::as_str).collect();
    assert!(!results.iter().any(|line| line.starts_with("not ok")), "{file}:\n{}", failures.join("\n"));
    let plan = lines.iter().find_map(|line| line.strip_prefix("1..")).expect("the file ends with finish()");
    assert_eq!(plan, results.len().to_string(), "{file} did not run to its end");
}

/// In a schema of its own, out of sight of the statements under test.
async fn load_pgtap(client: &Client) {
    let path = variable("PGTAP_SQL");
    let pgtap = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("PGTAP_SQL {path}: {error}"));
    client.batch_execute("create schema tap; set search_path = tap, public").await.unwrap();
    client.batch_execute(&pgtap).await.unwrap();
    client.batch_execute("grant usage on schema tap to public").await.unwrap();
}

/// The lines that the file's statements answer.
async fn tap(client: &Client, sql: &str) -> Vec<String> {
    let messages = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{error:?}"));
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    rows.flat_map(str::lines).map(str::to_owned).collect()
}

fn is_result(line: &str) -> bool {
    line.starts_with("ok ") || line.starts_with("not ok ")
}

#[expect(clippy::disallowed_methods, reason = "the path of a test's tool is no setting of a function")]
fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: PGTAP_SQL=$(scripts/fetch-pgtap), or run scripts/test"))
}
