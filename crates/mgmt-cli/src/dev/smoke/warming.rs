//! A schedule that is open now becomes rules; a rule fires; functions are proven warm.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use axum::http::Method;
use jiff::civil::Time;
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Report, call};
use crate::dev::deploy::{ENVIRONMENT, PROJECT, SAMPLES};
use crate::dev::identity::PLATFORM_ADMIN;
use crate::dev::platform::Platform;
use crate::output::progress;

/// How many instances of each sample function are kept warm.
const CONCURRENCY: [u64; SAMPLES.len()] = [3, 2, 2];
/// MiniStack fires a rule first at the minute after it saw it, and looks every ten seconds: 80 seconds at worst, and the run.
const TICK_LIMIT: Duration = Duration::from_secs(130);
/// At any instant it is between 09:00 and 16:30 in at least one of them.
const ZONES: [&str; 6] =
    ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Tokyo", "Pacific/Honolulu", "Pacific/Auckland"];

/// The figures of the first finished run.
#[derive(Debug, Default, Serialize)]
pub(super) struct Warming {
    /// Enabled rules of the schedule, counted on the bus.
    rules: usize,
    /// Finished runs.
    ticks: usize,
    asked: u64,
    reached: u64,
    /// Distinct instances that answered.
    unique: Option<u64>,
    cold: u64,
}

pub(super) async fn check(platform: &Platform, report: &mut Report) -> Result<()> {
    let zone = open_zone(Timestamp::now())?;
    report.observe("zone whose day is open now", zone);
    save(platform, report, &schedule(zone)).await?;
    let prefix = format!("{PROJECT}.{ENVIRONMENT}.warm.");
    report.warming.rules = platform.aws.enabled_rules(&prefix).await?.len();
    report.expect_some("rules on the bus", report.warming.rules);

    let runs = wait_for_run(platform).await?;
    let run = runs.last().context("there is no finished run")?;
    let number = |field: &str| run[field].as_u64().with_context(|| format!("the run has no {field}: {run}"));
    report.warming = Warming {
        rules: report.warming.rules,
        ticks: runs.len(),
        asked: number("asked")?,
        reached: number("reached")?,
        unique: run["unique"].as_u64(),
        cold: number("cold")?,
    };
    let wanted: u64 = CONCURRENCY.iter().sum();
    report.expect_some("ticks that ran", report.warming.ticks);
    report.observe("tick", run["tick"].clone());
    report.expect("status of the run", run["status"].clone(), "done");
    report.expect("pings asked", report.warming.asked, wanted);
    report.expect("pings answered", report.warming.reached, wanted);
    report.expect("distinct instances", report.warming.unique, wanted);
    report.observe("of them cold", report.warming.cold);
    report.observe("their start, ms in all", number("initMs")?);
    report.expect("pings throttled", number("throttled")?, 0);
    report.expect("pings failed", number("errors")?, 0);
    if let Some(note) = run["note"].as_str() {
        report.observe("note of the run", note);
    }
    Ok(())
}

/// Saves the schedule as a person would.
async fn save(platform: &Platform, report: &mut Report, schedule: &Value) -> Result<()> {
    let path = "/platform/lambda-config/lambda_warming";
    let body = json!({ "configValue": schedule, "isActive": true });
    let answer = call(platform, Some(&PLATFORM_ADMIN), Method::PUT, path, Some(&body)).await?;
    let answer = answer.success("saving the schedule")?;
    let sync = &answer["sync"];
    report.expect("sync after saving", sync["status"].clone(), "synced");
    if let Some(reason) = sync["reason"].as_str() {
        report.observe("reason", reason);
    }
    Ok(())
}

/// Waits for the first finished run; answers all finished ones, newest first.
async fn wait_for_run(platform: &Platform) -> Result<Vec<Value>> {
    let started = Instant::now();
    let mut told = Duration::ZERO;
    progress("waiting for EventBridge to fire, which it does at the next full minute");
    loop {
        let path = "/platform/lambda-warming/runs";
        let answer = call(platform, Some(&PLATFORM_ADMIN), Method::GET, path, None).await?.success(path)?;
        let runs = answer.as_array().context("the warmth history is no list")?;
        let finished: Vec<Value> = runs.iter().filter(|run| !run["finishedAt"].is_null()).cloned().collect();
        if !finished.is_empty() {
            return Ok(finished);
        }
        let waited = started.elapsed();
        if waited > TICK_LIMIT {
            let state = if runs.is_empty() { "no tick arrived" } else { "a tick arrived, but its run did not finish" };
            bail!("{state} within {} seconds; the log of MiniStack may tell why", TICK_LIMIT.as_secs());
        }
        if waited - told >= Duration::from_secs(10) {
            told = waited;
            let state = if runs.is_empty() { "no tick yet" } else { "the functions are being pinged" };
            progress(&format!("  {:3} s of at most {}: {state}", waited.as_secs(), TICK_LIMIT.as_secs()));
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Every day from nine to five, every minute.
fn schedule(zone: &str) -> Value {
    let day = json!({ "enabled": true, "ranges": [{ "start": "09:00", "end": "17:00" }] });
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let week: serde_json::Map<String, Value> = days.iter().map(|name| ((*name).to_owned(), day.clone())).collect();
    let functions: Vec<Value> = SAMPLES
        .iter()
        .zip(CONCURRENCY)
        .map(|(name, concurrency)| json!({ "name": name, "concurrency": concurrency }))
        .collect();
    json!({
        "enabled": true,
        "timezone": zone,
        "interval_minutes": 1,
        "weekly_schedule": week,
        "lambda_functions": functions,
        "include_modules": true,
    })
}

/// A zone where the next minutes lie between nine and five.
fn open_zone(now: Timestamp) -> Result<&'static str> {
    let opens = Time::constant(9, 0, 0, 0);
    let closes = Time::constant(16, 30, 0, 0);
    for zone in ZONES {
        let local = now.to_zoned(TimeZone::get(zone)?).time();
        if local >= opens && local < closes {
            return Ok(zone);
        }
    }
    bail!("there is no zone whose day is open at {now}")
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn some_zone_is_open_at_any_hour_of_the_year() {
        let first: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        for half_hour in 0..366 * 48 {
            let now = first.checked_add((half_hour * 30_i64).minutes()).unwrap();
            assert!(open_zone(now).is_ok(), "{now}");
        }
    }
}
