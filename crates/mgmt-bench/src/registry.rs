//! The registry's busiest reads: database time of the statement that the function's door sends, beside the SQL inside it under the same
//! role, claims and row-level security; pgbench takes both, so that no client is part of the comparison. Beside them stands what the
//! function waits for such a read, and what the bare rows take, without being made JSON.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use mgmt_common::db::{Database, claims};
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase};
use module_mgmt_protocol::caller::Caller;
use serde::de::IgnoredAny;
use tokio::process::Command;

use crate::row::{Row, median};

const READS: u32 = 1_000;
const ROUNDS: usize = 5;

pub(crate) async fn measure() -> Result<Vec<Row>> {
    let database = registry().await?;
    let mut rows = Vec::new();
    for (what, statement) in module_registry::busiest_statements() {
        let caller = caller(what == "list");
        let bare_statement = bare(statement)?;
        let same_statement = format!("select row_to_json(answer)::text from ({bare_statement}) as answer");
        let through_door = door_statement(&caller, &bare_statement);
        let (mut waits, mut ours, mut same, mut bare) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let as_login = (database.url(REQUEST_LOGIN), String::new());
        let as_caller = claims(&caller).replace(' ', "");
        let as_role = (database.admin_url(), format!("-c role=module_mgmt_request -c request.jwt.claims={as_caller}"));
        // In turns, so that a slow moment of the machine meets all of them.
        for _ in 0..ROUNDS {
            waits.push(function_waits(&database, &caller, statement)?);
            ours.push(in_pgbench(&as_login, &through_door).await?);
            same.push(in_pgbench(&as_role, &same_statement).await?);
            bare.push(in_pgbench(&as_role, &bare_statement).await?);
        }
        let (waits, ours, same, bare) = (median(waits), median(ours), median(same), median(bare));
        rows.push(Row {
            what: format!("{what} of 40 modules, database time: read as a caller / its SQL"),
            measured: format!("{ours:.3} ms / {same:.3} ms (bare rows {bare:.3} ms, the function waits {waits:.3} ms)"),
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

/// What the door sends, as one statement without parameters.
fn door_statement(caller: &Caller, statement: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let (quoted_claims, statement) = (quoted(&claims(caller)), quoted(statement));
    format!("select module_mgmt.read_as('module_mgmt_request', {quoted_claims}, {statement}, null)")
}

/// Milliseconds per read through the door, on a runtime like the functions' own: one thread.
fn function_waits(database: &TestDatabase, caller: &Caller, statement: &'static str) -> Result<f64> {
    let url = database.url(REQUEST_LOGIN);
    let reading = async {
        let door = Database::new(DatabaseSettings { url, role: DatabaseRole::Request, ca_pem: None, pool_size: None });
        let started = Instant::now();
        for _ in 0..READS {
            let rows: Vec<IgnoredAny> = door.read_as(caller, statement, &[None, None]).await?;
            ensure!(rows.len() >= 40, "only {} modules were read", rows.len());
        }
        Ok(started.elapsed().as_secs_f64() * 1000.0 / f64::from(READS))
    };
    // A runtime may not end inside another one, so it lives and ends in a thread of its own.
    let in_thread = || tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(reading);
    std::thread::scope(|scope| scope.spawn(in_thread).join()).map_err(|_| anyhow::anyhow!("the reader panicked"))?
}

/// Milliseconds per transaction, by pgbench's own figure; where it connects, and with which options.
async fn in_pgbench((url, options): &(String, String), statement: &str) -> Result<f64> {
    let file = std::env::temp_dir().join(format!("module-mgmt-bench-{}.sql", std::process::id()));
    std::fs::write(&file, format!("{statement};\n"))?;
    let output = Command::new("pgbench")
        .args(["-n", "-t", &READS.to_string(), "-f"])
        .arg(&file)
        .arg(url)
        .env("PGOPTIONS", options)
        .output()
        .await
        .context("pgbench does not run")?;
    std::fs::remove_file(&file)?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "pgbench failed: {}", String::from_utf8_lossy(&output.stderr));
    let figure = text.lines().find_map(|line| line.strip_prefix("latency average = ")?.strip_suffix(" ms"));
    Ok(figure.with_context(|| format!("pgbench told no latency: {text}"))?.parse()?)
}
