//! A whole tick over 20 functions with 10 copies each: its wall time beside the hold and one invoke.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use jiff::Timestamp;
use mgmt_testkit::database::{TestDatabase, WORKER_LOGIN};
use mgmt_testkit::lambda_api::{FakeFunction, LambdaFake};
use mgmt_testkit::runtime_api::FunctionProcess;
use serde_json::{Map, Value, json};

use crate::row::{Row, median};

const FUNCTIONS: usize = 20;
const COPIES: usize = 10;
const HOLD: Duration = Duration::from_millis(500);
const INVOKE: Duration = Duration::from_millis(50);
const ROUNDS: i64 = 4;

/// Milliseconds, and unique instances.
struct Run {
    first: f64,
    /// The median of those after the first.
    ticks: f64,
    reported: u64,
    counted: usize,
}

async fn run(binary: &Path) -> Result<Run> {
    let database = TestDatabase::create().await;
    let lambda = LambdaFake::start().await?;
    let names: Vec<String> = (0..FUNCTIONS).map(|number| format!("function-{number:02}")).collect();
    for name in &names {
        lambda.add(FakeFunction::new(name).taking(INVOKE));
    }
    let statement = "update public.platform_lambda_config set config_value = $1 where config_key = 'lambda_warming'";
    database.admin().await.execute(statement, &[&schedule(&names)]).await?;
    let url = database.url(WORKER_LOGIN);
    let mut warmer = start(binary, &url, &lambda.url()).await?;

    let mut walls = Vec::new();
    let mut report = Value::Null;
    let minute = Timestamp::now().as_second() / 60;
    for round in 0..ROUNDS {
        let time = Timestamp::from_second((minute - ROUNDS + round + 1) * 60)?;
        let event = json!({
            "source": "aws.events", "detail-type": "Scheduled Event", "time": time.to_string(), "detail": {},
        });
        let started = Instant::now();
        let answer = warmer.invoke(&event).await?;
        walls.push(started.elapsed().as_secs_f64() * 1000.0);
        report = answer.map_err(|error| anyhow!("the tick failed: {error}"))?["report"].take();
    }
    let counted: usize = names.iter().map(|name| lambda.counters(name).instances).sum();
    let reported = report["unique"].as_u64().context("the run reported no unique instances")?;
    ensure!(lambda.violations().is_empty(), "the fake saw {:?}", lambda.violations());
    let first = walls.remove(0);
    Ok(Run { first, ticks: median(walls), reported, counted })
}

pub(crate) async fn measure(binary: &Path) -> Result<Vec<Row>> {
    let Run { first, ticks, reported, counted } = run(binary).await?;
    let row = |what: &str, wall: f64, ideal: Duration| {
        let ideal = ideal.as_secs_f64() * 1000.0;
        Row {
            what: format!("{what}, {FUNCTIONS} x {COPIES} copies"),
            measured: format!("{wall:.0} ms / {ideal:.0} ms"),
            ratio: format!("{:.3}", wall / ideal),
            promise: "<= 1.2",
        }
    };
    Ok(vec![
        row("a tick: wall / (hold + invoke)", ticks, HOLD + INVOKE),
        row("the first tick ever: wall / (probe + hold + invoke)", first, INVOKE + HOLD + INVOKE),
        Row {
            what: "unique instances: reported / counted by Lambda".into(),
            measured: format!("{reported} / {counted}"),
            ratio: format!("{:.3}", reported as f64 / counted as f64),
            promise: "1",
        },
    ])
}

/// Milliseconds of a tick after the first.
pub(crate) async fn tick(binary: &Path) -> Result<f64> {
    Ok(run(binary).await?.ticks)
}

fn schedule(names: &[String]) -> Value {
    let day = json!({"enabled": true, "ranges": [{"start": "00:00", "end": "24:00"}]});
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let week: Map<String, Value> = days.map(|name| (name.to_owned(), day.clone())).into_iter().collect();
    let functions: Vec<Value> = names.iter().map(|name| json!({"name": name, "concurrency": COPIES})).collect();
    json!({"enabled": true, "timezone": "UTC", "interval_minutes": 1, "weekly_schedule": week, "lambda_functions": functions})
}

async fn start(binary: &Path, database_url: &str, lambda_url: &str) -> Result<FunctionProcess> {
    let hold = HOLD.as_millis().to_string();
    let variables = [
        ("DATABASE_URL", database_url),
        ("DATABASE_ROLE", "worker"),
        ("PROJECT", "shop"),
        ("ENVIRONMENT", "bench"),
        ("HOLD_MS", &hold),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIATEST"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL", lambda_url),
    ];
    Ok(FunctionProcess::start(binary, &variables).await?)
}
