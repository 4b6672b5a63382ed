//! Runs the command and looks at what it left.

use std::process::Output;

use mgmt_testkit::database::TestDatabase;
use tokio::process::Command;
use tokio_postgres::Client;

/// The schema files in the order in which they are applied, as the history names them.
pub(crate) const FILES: [&str; 9] = [
    "1 platform_lambda_config",
    "2 rls_policies",
    "3 platform_module_registry",
    "4 platform_module_usage",
    "5 platform_module_rls",
    "6 platform_module_usage_rls",
    "7 module_usage_counting",
    "8 module_usage_maintenance",
    "9 everybody",
];

/// The command on a database, roles bootstrapped, answer as JSON.
pub(crate) fn migrate(url: &str) -> Command {
    let mut command = plain(url);
    command.args(["--bootstrap-roles", "--json"]);
    command
}

/// Without any option. The URL goes through the environment, as passwords should.
pub(crate) fn plain(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mgmt"));
    command.arg("migrate").env("DATABASE_ADMIN_URL", url).kill_on_drop(true);
    command
}

/// Runs it to a good end; what it applied.
pub(crate) async fn applied(mut command: Command) -> Vec<String> {
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    serde_json::from_value(answer["applied"].clone()).unwrap()
}

/// Runs it to a bad end; what it said.
pub(crate) async fn refusal(mut command: Command) -> String {
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    said(&output)
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) async fn text(client: &Client, query: &str) -> String {
    client.query_one(query, &[]).await.unwrap().get::<_, Option<String>>(0).unwrap_or_default()
}

/// All that the schema consists of, as one text: tables, columns, policies, grants, functions, comments.
pub(crate) async fn fingerprint(database: &TestDatabase) -> String {
    let query = "
      select jsonb_pretty(jsonb_build_object(
        'columns', (select jsonb_agg(to_jsonb(c) - 'ordinal_position' order by c.table_name, c.column_name) from (
           select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns
           where table_name like 'platform%') c),
        'policies', (select jsonb_agg(to_jsonb(p) order by p.tablename, p.policyname) from pg_policies p),
        'tables', (select jsonb_agg(jsonb_build_array(relname, relrowsecurity, relforcerowsecurity, relacl::text) order by relname)
           from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'),
        'functions', (select jsonb_agg(jsonb_build_array(proname, prosrc, proacl::text, prosecdef, case when prosecdef then proowner::regrole::text end) order by proname)
           from pg_proc where pronamespace in ('public'::regnamespace, 'module_mgmt'::regnamespace)
             and proname like any (array['platform%', 'claims', 'get_%', 'is_%', 'read_as', 'registry_version', 'module_states', '%usage%'])),
        'comments', (select count(*) from pg_description where objoid in
           (select oid from pg_class where relname like 'platform%' union select oid from pg_policy))))";
    text(&database.admin().await, query).await
}
