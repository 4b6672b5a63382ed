//! This build beside another one, in turns: `mgmt-bench against FOLDER`, where FOLDER has the other build's binaries. What a change cost.

use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow, ensure};
use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase};
use mgmt_testkit::gateway::Request;
use mgmt_testkit::runtime_api::FunctionProcess;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fan_out;
use crate::row::{Row, median};
use crate::start_up::{self, FUNCTIONS};

const STARTS: usize = 61;
const BATCHES: usize = 150;
const EVENTS: usize = 1_000;
const READS: usize = 3_000;

pub(crate) async fn measure(now: &Path, before: &Path) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for function in FUNCTIONS {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            theirs.push(start_up::start(&before.join(function)).await?);
            ours.push(start_up::start(&now.join(function)).await?);
        }
        rows.push(row(&format!("exec to first poll: {function}"), "ms", median(ours), median(theirs)));
    }
    rows.extend(batches(now, before).await?);
    rows.extend(reads(now, before).await?);
    rows.push(row(
        "a tick of 20 x 10 copies, wall",
        "ms",
        fan_out::tick(&now.join("lambda-warmer")).await?,
        fan_out::tick(&before.join("lambda-warmer")).await?,
    ));
    Ok(rows)
}

fn row(what: &str, unit: &str, ours: f64, theirs: f64) -> Row {
    Row {
        what: format!("{what}: this build / the other"),
        measured: format!("{ours:.2} {unit} / {theirs:.2} {unit}"),
        ratio: format!("{:.3}", ours / theirs),
        promise: "",
    }
}

/// Batches over HTTP: what one costs the function's process, and how long a sender waits.
async fn batches(now: &Path, before: &Path) -> Result<Vec<Row>> {
    let database = TestDatabase::create().await;
    let modules = "insert into platform_module_registry (module_name, display_name, is_enabled)
        select 'module-m' || n, 'Module', true from generate_series(1, 20) n";
    database.admin().await.batch_execute(modules).await?;
    let mut pair = Pair::start(now, before, "module-usage", &database).await?;
    for _ in 0..BATCHES {
        for side in &mut pair.sides {
            let request = Request::post("/platform/modules/usage").json(&batch()?);
            let answer = side.ask(request.event()).await?;
            let counted = answer["body"].as_str().is_some_and(|body| body.contains(&format!("\"accepted\":{EVENTS}")));
            ensure!(counted, "a batch was not counted: {answer}");
        }
    }
    Ok(pair.rows("a batch of 1,000 events"))
}

async fn reads(now: &Path, before: &Path) -> Result<Vec<Row>> {
    let database = TestDatabase::create().await;
    let modules = r#"insert into platform_module_registry (module_name, display_name, is_enabled, nav_config)
        select 'module-m' || n, 'Module', true, jsonb_build_object('label', 'M', 'route', '/m' || n, 'order', n, 'children', '[]'::jsonb)
        from generate_series(1, 40) n"#;
    database.admin().await.batch_execute(modules).await?;
    let mut rows = Vec::new();
    for path in ["/platform/modules", "/platform/modules/state", "/platform/navigation"] {
        let mut pair = Pair::start(now, before, "module-registry", &database).await?;
        let request = Request::get(path);
        for _ in 0..READS {
            for side in &mut pair.sides {
                let answer = side.ask(request.event()).await?;
                ensure!(answer["statusCode"] == 200, "{path} answered {answer}");
            }
        }
        rows.extend(pair.rows(&format!("GET {path}")));
    }
    Ok(rows)
}

fn batch() -> Result<Value> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let event = |n: usize| {
        json!({
            "id": Uuid::now_v7(), "eventType": "api_call", "moduleName": format!("module-m{}", n % 20 + 1), "status": "success",
            "eventAction": "open", "endpoint": "/api/things/list", "httpMethod": "GET", "durationMs": n,
            "metadata": {"browser": "firefox", "number": n, "sent": now.to_string(), "tags": ["a", "b"]},
        })
    };
    Ok(json!({ "events": (0..EVENTS).map(event).collect::<Vec<_>>() }))
}

/// The same function of both builds.
struct Pair {
    /// This build's first.
    sides: [Side; 2],
}

struct Side {
    process: FunctionProcess,
    waits: Vec<f64>,
    /// Processor time when the first invocation, which connects, was over.
    started_at: Option<f64>,
}

impl Pair {
    async fn start(now: &Path, before: &Path, function: &str, database: &TestDatabase) -> Result<Self> {
        let side = async |folder: &Path| -> Result<Side> {
            let url = database.url(REQUEST_LOGIN);
            let binary = folder.join(function);
            // What is measured is counting, and not the brake; an older build knows nothing of it.
            let variables = [("DATABASE_URL", url.as_str()), ("USAGE_EVENTS_PER_MINUTE", "2000000000")];
            let process = FunctionProcess::start(&binary, &variables).await;
            let process = process.with_context(|| format!("{} does not start", binary.display()))?;
            Ok(Side { process, waits: Vec::new(), started_at: None })
        };
        Ok(Self { sides: [side(now).await?, side(before).await?] })
    }

    fn rows(self, what: &str) -> Vec<Row> {
        let [ours, theirs] = self.sides.map(|side| (side.cpu_each(), median(side.waits)));
        vec![
            row(&format!("{what}, processor time of the function"), "ms", ours.0, theirs.0),
            row(&format!("{what}, wait"), "ms", ours.1, theirs.1),
        ]
    }
}

impl Side {
    async fn ask(&mut self, event: &Value) -> Result<Value> {
        let started = Instant::now();
        let answer = self.process.invoke(event).await?.map_err(|error| anyhow!("the function failed: {error}"))?;
        if self.started_at.is_none() {
            self.started_at = Some(self.process.cpu_time_ms()?);
        } else {
            self.waits.push(started.elapsed().as_secs_f64() * 1000.0);
        }
        Ok(answer)
    }

    /// Milliseconds of processor time for each invocation but the first.
    #[expect(clippy::cast_precision_loss, reason = "hundreds of invocations")]
    fn cpu_each(&self) -> f64 {
        let spent = self.process.cpu_time_ms().unwrap_or(f64::NAN) - self.started_at.unwrap_or(f64::NAN);
        spent / self.waits.len() as f64
    }
}
