//! The registry's busiest reads through the function's door, beside pgbench with the SQL that the door runs, under the same role, claims
//! and row-level security. The bare rows are a third figure: what making them JSON costs in the database.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use mgmt_common::caller::Caller;
use mgmt_common::db::Database;
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase};
use serde::de::IgnoredAny;
use tokio::process::Command;

use crate::{Row, median};

const READS: u32 = 1_000;
const ROUNDS: usize = 5;

pub(crate) async fn measure() -> Result<Vec<Row>> {
    let database = registry().await?;
    let url = database.url(REQUEST_LOGIN);
    let door = Database::new(DatabaseSettings { url, role: DatabaseRole::Request, ca_pem: None, pool_size: None });
    let mut rows = Vec::new();
    for (what, statement) in module_registry::busiest_statements() {
        let caller = caller(what == "list");
        let bare_statement = bare(statement)?;
        let same_statement = format!("select row_to_json(answer)::text from ({bare_statement}) as answer");
        let (mut ours, mut same, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        // In turns, so that a slow moment of the machine meets all of them.
        for _ in 0..ROUNDS {
            ours.push(through_door(&door, &caller, statement).await?);
            same.push(in_pgbench(&database, &caller, &same_statement).await?);
            bare.push(in_pgbench(&database, &caller, &bare_statement).await?);
        }
        let (ours, same, bare) = (median(ours), median(same), median(bare));
        rows.push(Row {
            what: format!("{what} of 40 modules: read as a caller / pgbench"),
            measured: format!("{ours:.3} ms / {same:.3} ms (bare rows {bare:.3} ms), {ROUNDS} x {READS} reads"),
            ratio: format!("{:.2}", ours / same),
            promise: "<= 1.3",
        });
    }
    Ok(rows)
}

/// 40 modules, and overrides of 200 organisations.
async fn registry() -> Result<TestDatabase> {
    let database = TestDatabase::create().await;
    let statements = r#"
        insert into platform_module_registry (module_name, display_name, is_enabled, nav_config, dependencies)
        select 'module-m' || n, 'Module ' || n, true,
          jsonb_build_object('label', 'Module ' || n, 'route', '/m' || n, 'icon', 'x', 'order', n, 'adminOnly', false, 'children', '[]'::jsonb),
          '{module-access}' from generate_series(1, 37) n;
        insert into platform_module_override (org_id, module_name, is_enabled)
        select 'org-' || org, 'module-m' || n, false from generate_series(1, 200) org, generate_series(1, 37, 6) n;
        analyze"#;
    database.admin().await.batch_execute(statements).await?;
    Ok(database)
}

fn caller(is_platform_admin: bool) -> Caller {
    Caller {
        user_id: "auth0|1".to_owned(),
        org_id: "org-7".to_owned(),
        is_platform_admin,
        is_org_admin: false,
        permissions: BTreeSet::new(),
        request_id: "bench".to_owned(),
    }
}

/// The statement on one line, without its name and with its parameters as they are sent: none.
fn bare(statement: &str) -> Result<String> {
    let statement = statement.replace("($1)", "(null::text[])").replace('\n', " ");
    // The name is a comment to the end of its line.
    let (_, statement) = statement.split_once("select").context("the statement is no select")?;
    Ok(format!("select{statement}"))
}

/// Milliseconds per read.
async fn through_door(door: &Database, caller: &Caller, statement: &'static str) -> Result<f64> {
    let started = Instant::now();
    for _ in 0..READS {
        let rows: Vec<IgnoredAny> = door.read_as(caller, statement, &[None, None]).await?;
        ensure!(rows.len() >= 40, "only {} modules were read", rows.len());
    }
    Ok(started.elapsed().as_secs_f64() * 1000.0 / f64::from(READS))
}

/// Milliseconds per transaction, by pgbench's own figure.
async fn in_pgbench(database: &TestDatabase, caller: &Caller, statement: &str) -> Result<f64> {
    let file = std::env::temp_dir().join(format!("{}.sql", database.name));
    std::fs::write(&file, format!("{statement};\n"))?;
    let claims = caller.database_claims().replace(' ', "");
    let output = Command::new("pgbench")
        .args(["-n", "-t", &READS.to_string(), "-f"])
        .arg(&file)
        .arg(database.admin_url())
        .env("PGOPTIONS", format!("-c role=module_mgmt_request -c request.jwt.claims={claims}"))
        .output()
        .await
        .context("pgbench does not run")?;
    std::fs::remove_file(&file)?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "pgbench failed: {}", String::from_utf8_lossy(&output.stderr));
    let figure = text.lines().find_map(|line| line.strip_prefix("latency average = ")?.strip_suffix(" ms"));
    Ok(figure.with_context(|| format!("pgbench told no latency: {text}"))?.parse()?)
}
