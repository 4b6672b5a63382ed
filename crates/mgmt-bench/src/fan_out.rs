//! A whole tick over 20 functions with 10 copies each: its wall time beside the hold and one invoke.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use lambda_warmer::settings::Settings;
use mgmt_common::aws::AwsSettings;
use mgmt_common::schedule::name::Namespace;
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_testkit::database::{TestDatabase, WORKER_LOGIN};
use mgmt_testkit::lambda_api::{FakeFunction, LambdaFake};
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

use crate::{Row, median};

const FUNCTIONS: usize = 20;
const COPIES: usize = 10;
const HOLD: Duration = Duration::from_millis(500);
const INVOKE: Duration = Duration::from_millis(50);
const ROUNDS: i64 = 4;

pub(crate) async fn measure() -> Result<Vec<Row>> {
    let database = TestDatabase::create().await;
    let lambda = LambdaFake::start().await?;
    let names: Vec<String> = (0..FUNCTIONS).map(|number| format!("function-{number:02}")).collect();
    for name in &names {
        lambda.add(FakeFunction::new(name).taking(INVOKE));
    }
    let statement = "update public.platform_lambda_config set config_value = $1 where config_key = 'lambda_warming'";
    database.admin().await.execute(statement, &[&schedule(&names)]).await?;
    let service = lambda_warmer::service(settings(&lambda, database.url(WORKER_LOGIN)));

    let mut walls = Vec::new();
    let mut report = Value::Null;
    let minute = Timestamp::now().as_second() / 60;
    for round in 0..ROUNDS {
        let time = Timestamp::from_second((minute - ROUNDS + round + 1) * 60)?;
        let event = to_raw_value(&json!({"source": "aws.events", "time": time.to_string()}))?;
        let mut context = lambda_runtime::Context::default();
        let deadline = SystemTime::now() + Duration::from_secs(60);
        context.deadline = u64::try_from(deadline.duration_since(SystemTime::UNIX_EPOCH)?.as_millis())?;
        let started = Instant::now();
        let answer = service.handle(&event, &context).await.map_err(|error| anyhow::anyhow!(error))?;
        walls.push(started.elapsed().as_secs_f64() * 1000.0);
        report = serde_json::from_str::<Value>(answer.get())?["report"].take();
    }
    let counted: usize = names.iter().map(|name| lambda.counters(name).instances).sum();
    let reported = report["unique"].as_u64().context("the run reported no unique instances")?;
    ensure!(lambda.violations().is_empty(), "the fake saw {:?}", lambda.violations());

    let ideal = (HOLD + INVOKE).as_secs_f64() * 1000.0;
    let first = walls.remove(0);
    let later = median(walls);
    let row = |what: &str, wall: f64| Row {
        what: format!("{what}: {FUNCTIONS} x {COPIES} copies, wall / (hold + invoke)"),
        measured: format!("{wall:.0} ms / {ideal:.0} ms"),
        ratio: format!("{:.3}", wall / ideal),
        promise: "<= 1.2",
    };
    Ok(vec![
        row("a tick", later),
        row("the first tick of a new sandbox, with probes", first),
        Row {
            what: "unique instances: reported / counted by Lambda".into(),
            measured: format!("{reported} / {counted}"),
            ratio: format!("{:.3}", reported as f64 / counted as f64),
            promise: "1",
        },
    ])
}

fn schedule(names: &[String]) -> Value {
    let day = json!({"enabled": true, "ranges": [{"start": "00:00", "end": "24:00"}]});
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let week: Map<String, Value> = days.map(|name| (name.to_owned(), day.clone())).into_iter().collect();
    let functions: Vec<Value> = names.iter().map(|name| json!({"name": name, "concurrency": COPIES})).collect();
    json!({"enabled": true, "timezone": "UTC", "interval_minutes": 1, "weekly_schedule": week, "lambda_functions": functions})
}

fn settings(lambda: &LambdaFake, url: String) -> Settings {
    Settings {
        database: DatabaseSettings { url, role: DatabaseRole::Worker, ca_pem: None, pool_size: None },
        aws: AwsSettings {
            region: "eu-central-1".into(),
            access_key_id: "AKIATEST".into(),
            secret_access_key: "secret".into(),
            session_token: None,
            endpoint_url: Some(lambda.url()),
        },
        // Both names are literals that fit the grammar.
        namespace: Namespace::parse("shop", "bench").unwrap_or_else(|error| unreachable!("{error}")),
        hold: HOLD,
        max_in_flight: 500,
    }
}
