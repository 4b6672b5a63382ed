//! A schedule that is open now becomes rules; a rule fires; functions are proven warm.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use axum::http::Method;
use jiff::civil::Time;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::Report;
use super::figures::Warming;
use crate::dev::functions::{ENVIRONMENT, PROJECT};
use crate::dev::identity::PLATFORM_ADMIN;
use crate::dev::platform::Platform;
use crate::output::progress;

/// The sample functions that the schedule names, and how many instances of each are kept warm.
const SCHEDULED: [&str; 3] = ["sample-orders", "sample-invoices", "sample-reports"];
const CONCURRENCY: [u64; SCHEDULED.len()] = [3, 2, 2];
/// The first tick warms, the second one shows that the functions stayed warm.
const TICKS: usize = 2;
/// MiniStack fires a rule first at the minute after it saw it, and looks every ten seconds: 80 seconds at worst, and the run.
const TICK_LIMIT: Duration = Duration::from_secs(130);
/// At any instant it is between 09:00 and 16:30 in at least one of them.
const ZONES: [&str; 6] =
    ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Tokyo", "Pacific/Honolulu", "Pacific/Auckland"];

/// Saves a schedule as a person would.
pub(super) async fn save(platform: &Platform, report: &mut Report) -> Result<()> {
    let zone = open_zone(Timestamp::now())?;
    report.observe("zone whose day is open now", zone);
    let path = "/platform/lambda-config/lambda_warming";
    let body = json!({ "configValue": schedule(zone), "isActive": true });
    let answer = platform.ask(Some(&PLATFORM_ADMIN), Method::PUT, path, Some(&body)).await?;
    let answer = answer.success("saving the schedule")?;
    let sync = &answer["sync"];
    report.expect("sync after saving", sync["status"].clone(), "synced");
    if let Some(reason) = sync["reason"].as_str() {
        report.observe("reason", reason);
    }
    let prefix = format!("{PROJECT}.{ENVIRONMENT}.warm.");
    report.warming.rules = platform.aws.enabled_rules(&prefix).await?.len();
    report.expect_at_least("rules on the bus", report.warming.rules, 1);
    Ok(())
}

/// Notes what the last run and those before it found out.
pub(super) async fn check(platform: &Platform, report: &mut Report, run: &Value) -> Result<()> {
    let runs = finished_runs(platform).await?;
    let first = runs.last().context("there is no finished run")?;
    let number = |field: &str| run[field].as_u64().with_context(|| format!("the run has no {field}: {run}"));
    report.warming = Warming {
        rules: report.warming.rules,
        ticks: runs.len(),
        asked: number("asked")?,
        reached: number("reached")?,
        unique: run["unique"].as_u64(),
        cold: number("cold")?,
    };
    // No module that is on at the last tick adds functions of its own.
    let wanted = scheduled_pings();
    report.expect_at_least("ticks that ran", report.warming.ticks, TICKS);
    report.observe("first tick", first["tick"].clone());
    report.observe("cold instances then", first["cold"].clone());
    report.observe("last tick", run["tick"].clone());
    report.expect("status of the run", run["status"].clone(), "done");
    report.expect("pings asked", report.warming.asked, wanted);
    report.expect("pings answered", report.warming.reached, wanted);
    report.expect("distinct instances", report.warming.unique, wanted);
    report.expect("of them cold", report.warming.cold, 0);
    report.expect("pings throttled", number("throttled")?, 0);
    report.expect("pings failed", number("errors")?, 0);
    if let Some(note) = run["note"].as_str() {
        report.observe("note of the run", note);
    }
    Ok(())
}

/// Whether the schedule names the function itself.
pub(super) fn is_scheduled(function: &str) -> bool {
    SCHEDULED.contains(&function)
}

/// The pings of one tick for the schedule's own functions.
pub(super) fn scheduled_pings() -> u64 {
    CONCURRENCY.iter().sum()
}

/// Waits for a finished run, of the first tick after a moment if one is given.
pub(super) async fn wait_for_run(platform: &Platform, after: Option<Timestamp>) -> Result<Value> {
    let started = Instant::now();
    let mut told = Duration::ZERO;
    progress("waiting for EventBridge to fire at the next full minute");
    loop {
        let runs = finished_runs(platform).await?;
        // The newest first, so the last one of those that will do is the earliest.
        let fits = |run: &&Value| after.is_none_or(|after| tick(run).is_some_and(|tick| tick > after));
        if let Some(run) = runs.iter().rfind(fits) {
            return Ok(run.clone());
        }
        let (waited, limit) = (started.elapsed(), TICK_LIMIT.as_secs());
        if waited > TICK_LIMIT {
            bail!("no run finished within {limit} seconds; the log of MiniStack may tell why");
        }
        if waited - told >= Duration::from_secs(10) {
            told = waited;
            progress(&format!("  {:3} s of at most {limit}", waited.as_secs()));
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// The newest first.
async fn finished_runs(platform: &Platform) -> Result<Vec<Value>> {
    let path = "/platform/lambda-warming/runs";
    let answer = platform.ask(Some(&PLATFORM_ADMIN), Method::GET, path, None).await?.success(path)?;
    let runs = answer.as_array().context("the warmth history is no list")?;
    Ok(runs.iter().filter(|run| !run["finishedAt"].is_null()).cloned().collect())
}

fn tick(run: &Value) -> Option<Timestamp> {
    run["tick"].as_str()?.parse().ok()
}

/// Every day from nine to five, every minute.
fn schedule(zone: &str) -> Value {
    let day = json!({ "enabled": true, "ranges": [{ "start": "09:00", "end": "17:00" }] });
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let week: serde_json::Map<String, Value> = days.iter().map(|name| ((*name).to_owned(), day.clone())).collect();
    let functions: Vec<Value> = SCHEDULED
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
