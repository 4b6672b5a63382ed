//! `mgmt-bench abuse [SECONDS]`: an organisation's admin sends the heaviest requests that are accepted, three at a time, as fast as they
//! are answered, on the real binaries; and the platform's admin goes on working. What must hold is checked here and is no matter of the
//! machine's speed, but for the ratio of the platform's times, which is told.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase};
use mgmt_testkit::gateway::{Request, Who};
use mgmt_testkit::runtime_api::FunctionProcess;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::row::{Row, median};

/// At a time.
const ATTACKERS: usize = 3;
/// Calls of the platform's admin, each of every kind, before the attack.
const IDLE_ROUNDS: usize = 15;
/// What a Lambda function of the smallest size has.
const MOST_MEMORY_BYTES: u64 = 128 * 1024 * 1024;
const MOST_ANSWER_BYTES: usize = 4 * 1000 * 1000 + 200_000;

/// What the attack saw.
#[derive(Debug, Default)]
struct Seen {
    requests: usize,
    braked: usize,
    largest_answer_bytes: usize,
    peak_memory_bytes: u64,
}

/// # Errors
/// The platform's admin was refused or failed, a function failed or grew beyond 128 MB, or an answer beyond 4 MB.
pub(crate) async fn measure(folder: &Path, lasts: Duration) -> Result<Vec<Row>> {
    let database = TestDatabase::create().await;
    let modules = "insert into platform_module_registry (module_name, display_name, is_enabled, config)
        select 'module-m' || n, 'Module', true, '{\"limit\": 1}' from generate_series(1, 50) n";
    database.admin().await.batch_execute(modules).await?;
    let url = database.url(REQUEST_LOGIN);
    let mut platform = start(folder, "module-registry", &url).await?;
    let mut idle = Vec::new();
    for _ in 0..IDLE_ROUNDS {
        idle.extend(platform_round(&mut platform).await?);
    }
    let until = Instant::now() + lasts;
    let attackers = futures_util::future::try_join_all((0..ATTACKERS).map(|n| attack(folder, &url, n, until)));
    let working = async {
        let mut busy = Vec::new();
        while Instant::now() < until {
            busy.extend(platform_round(&mut platform).await?);
        }
        Ok::<_, anyhow::Error>(busy)
    };
    let (seen, busy) = futures_util::future::try_join(attackers, working).await?;
    let calls = busy.len();
    let (idle, busy) = (median(idle), median(busy));
    let all = seen.iter().fold(Seen::default(), |all, one| Seen {
        requests: all.requests + one.requests,
        braked: all.braked + one.braked,
        largest_answer_bytes: all.largest_answer_bytes.max(one.largest_answer_bytes),
        peak_memory_bytes: all.peak_memory_bytes.max(one.peak_memory_bytes),
    });
    let peak = all.peak_memory_bytes.max(platform.peak_memory_bytes()?);
    ensure!(peak < MOST_MEMORY_BYTES, "a function took {peak} bytes");
    ensure!(all.largest_answer_bytes <= MOST_ANSWER_BYTES, "an answer had {} bytes", all.largest_answer_bytes);
    let row = |what: String, measured: String, ratio: String, promise| Row { what, measured, ratio, promise };
    Ok(vec![
        row(
            format!(
                "the platform admin's {calls} calls during {} heavy requests ({} braked), all 2xx",
                all.requests, all.braked
            ),
            format!("{busy:.1} ms beside {idle:.1} ms idle, medians"),
            format!("{:.2}", busy / idle),
            "<= 3",
        ),
        row(
            "largest answer".into(),
            format!("{:.2} MB", all.largest_answer_bytes as f64 / 1e6),
            format!("{:.2} of 4 MB", all.largest_answer_bytes as f64 / 4e6),
            "<= 4 MB",
        ),
        row(
            "peak memory of a function".into(),
            format!("{:.0} MB", peak as f64 / 1e6),
            format!("{:.2} of 128 MB", peak as f64 / MOST_MEMORY_BYTES as f64),
            "< 128 MB",
        ),
    ])
}

async fn start(folder: &Path, function: &str, url: &str) -> Result<FunctionProcess> {
    let variables = [("DATABASE_URL", url), ("DATABASE_ROLE", "request"), ("LOG_LEVEL", "error")];
    Ok(FunctionProcess::start(&folder.join(function), &variables).await?)
}

/// What the platform's admin does all day; milliseconds of each call.
async fn platform_round(function: &mut FunctionProcess) -> Result<Vec<f64>> {
    let change = json!({"config": {"limit": 2}, "configSchema": {"properties": {"limit": {"type": "integer"}}}});
    let calls = [
        Request::get("/platform/modules"),
        Request::get("/platform/modules/module-m1/history"),
        Request::put("/platform/modules/module-m1", &change).header("if-match", "*"),
        Request::post("/platform/modules/module-m2/disable?dryRun=true"),
        Request::get("/platform/orgs/org-a/modules"),
    ];
    let mut times = Vec::new();
    for call in calls {
        let started = Instant::now();
        let answer = function.invoke(call.event()).await?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
        let status = answer.as_ref().ok().and_then(|answer| answer["statusCode"].as_u64()).unwrap_or(0);
        ensure!((200..300).contains(&status), "{}: {answer:?}", call.path());
    }
    Ok(times)
}

/// One of the attackers, each with its own sandboxes, as Lambda gives every request that is under way one.
async fn attack(folder: &Path, url: &str, number: usize, until: Instant) -> Result<Seen> {
    let (mut registry, mut usage) =
        (start(folder, "module-registry", url).await?, start(folder, "module-usage", url).await?);
    let mut seen = Seen::default();
    for round in number.. {
        for (is_usage, request) in heavy(round)? {
            if Instant::now() >= until {
                seen.peak_memory_bytes = registry.peak_memory_bytes()?.max(usage.peak_memory_bytes()?);
                return Ok(seen);
            }
            let function = if is_usage { &mut usage } else { &mut registry };
            let answer = function.invoke(request.by(Who::OrgAdmin).event()).await?;
            let answer = answer.map_err(|error| anyhow::anyhow!("the function failed: {error}"))?;
            let status = answer["statusCode"].as_u64().unwrap_or(0);
            ensure!(status > 0 && status < 500, "{answer:.1000}");
            seen.requests += 1;
            seen.braked += usize::from(status == 429);
            seen.largest_answer_bytes = seen.largest_answer_bytes.max(answer.to_string().len());
        }
    }
    Ok(seen)
}

/// The heaviest that is accepted of every route that an organisation's admin may call.
fn heavy(round: usize) -> Result<Vec<(bool, Request)>> {
    let own = format!("/platform/orgs/org-a/modules/module-m{}", round % 50 + 1);
    // Six bytes here, a hundred digits where they are written out; and keys without end.
    let numbers = format!("{{\"config\":{{\"n{round}\":[{}]}}}}", vec!["1e-98"; 10_000].join(","));
    let keys: serde_json::Map<String, Value> = (0..4_000).map(|n| (format!("k{n}-{round}"), json!(n))).collect();
    let id = || Ok::<_, anyhow::Error>(Uuid::now_v7().to_string());
    let event = |n: usize| -> Result<Value> {
        let metadata: serde_json::Map<String, Value> =
            (0..40).map(|k| (format!("k{k}"), json!("x".repeat(10)))).collect();
        Ok(
            json!({"id": id()?, "eventType": "api_call", "moduleName": format!("module-m{}", n % 50 + 1), "status": "success",
            "durationMs": n, "metadata": metadata}),
        )
    };
    let events: Result<Vec<Value>> = (0..1_000).map(event).collect();
    let faulty: Vec<Value> = (0..1_000).map(|n| json!({"eventType": n, "x": "y".repeat(900)})).collect();
    Ok(vec![
        (false, Request::put(&own, &json!({})).text(numbers)),
        (false, Request::put(&own, &json!({ "config": keys }))),
        (false, Request::get("/platform/orgs/org-a/modules")),
        (false, Request::get(&own)),
        (false, Request::get("/platform/modules")),
        (false, Request::get("/platform/modules/state")),
        (false, Request::get("/platform/navigation")),
        (false, Request::new("DELETE", &own)),
        (true, Request::post("/platform/modules/usage").json(&json!({ "events": events? }))),
        (true, Request::post("/platform/modules/usage").json(&json!({ "events": faulty }))),
        (true, Request::post("/platform/modules/module-m1/usage").json(&event(1)?)),
        (true, Request::get("/platform/modules/usage?startDate=2017-01-01&endDate=2026-12-31&granularity=daily")),
        (true, Request::get("/platform/modules/usage?limit=50000").header("accept", "text/csv")),
    ])
}
