//! Uses of modules are counted exactly once, whichever way and however often they come.

mod uses;
mod ways;

use std::time::Instant;

use anyhow::Result;
use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use uses::{DISTINCT, EACH, EVENT_TYPE, MODULES, Use, by_day, expected_by_day, figures, make_uses, told};

use super::Report;
use super::figures::Usage;
use crate::dev::identity::{MEMBER, ORG_ADMIN};
use crate::dev::platform::Platform;
use crate::dev::samples::PYTHON_GATE;

/// What was sent, and what each way said about it.
pub(super) struct Sent {
    uses: Vec<Use>,
    /// Accepted, duplicates, conflicts, rejected.
    http: [u64; 4],
    queue: [u64; 4],
    /// Of those rejected, over both ways.
    reasons: Vec<String>,
    seconds: u64,
}

/// Sends everything over both ways at the same time, and waits until the queue's share is counted too.
pub(super) async fn send(platform: &Platform) -> Result<Sent> {
    let started = Instant::now();
    let uses = make_uses(Timestamp::now())?;
    let ((http, mut reasons), ()) =
        tokio::try_join!(ways::over_http(platform, &uses), ways::over_queue(platform, &uses))?;
    let (queue, more) = ways::drain(platform).await?;
    reasons.extend(more);
    Ok(Sent { uses, http, queue, reasons, seconds: started.elapsed().as_secs() })
}

/// Compares what the ways and the statistics say with what was sent.
pub(super) async fn check(platform: &Platform, report: &mut Report, sent: &Sent) -> Result<()> {
    let all = |nth: usize| sent.http[nth] + sent.queue[nth];
    let count = |n: usize| u64::try_from(n);
    let total = 2 * (EACH + 1);
    report.expect("events answered over HTTP", sent.http.iter().sum::<u64>(), count(EACH + 1)?);
    report.expect("messages that the queue's function took", sent.queue.iter().sum::<u64>(), count(EACH + 1)?);
    report.expect("events accepted", all(0), count(DISTINCT)?);
    report.expect("events that were duplicates", all(1), count(2 * EACH - DISTINCT)?);
    report.expect("events in conflict", all(2), 0);
    report.expect("events rejected, with their reasons", sent.reasons.clone(), ["unknown_module"; 2].as_slice());

    let query = format!("eventType={EVENT_TYPE}");
    let usage = ask(platform, &format!("/platform/modules/usage?{query}")).await?;
    let summary = &usage["summary"];
    report.expect("figures of all modules", told(summary), figures(sent.uses.iter()));
    report.expect("rejected events in the statistics", usage["rejected"].clone(), all(3));
    report.expect("uses of each day", by_day(&usage), expected_by_day(&sent.uses));
    for module in MODULES {
        let stats = ask(platform, &format!("/platform/modules/{module}/usage/stats?{query}")).await?;
        let expected = figures(sent.uses.iter().filter(|used| used.module == module));
        report.expect(&format!("figures of {module}"), told(&stats["summary"]), expected);
    }
    // The Python sample has counted the requests that its gate let through by then.
    let path = format!("/platform/modules/{}/usage/stats?eventType=api_call&source=http", PYTHON_GATE.module);
    let by_host = ask(platform, &path).await?["summary"]["total"].as_u64();
    report.expect_at_least("requests counted by the Python sample", usize::try_from(by_host.unwrap_or(0))?, 1);
    let answer = platform.ask(Some(&MEMBER), Method::GET, "/platform/modules/usage", None).await?;
    report.expect("usage for a member", answer.status, 403);
    report.usage = Usage {
        sent: total,
        distinct: DISTINCT,
        counted: summary["total"].as_u64(),
        duplicates: all(1),
        rejected: all(3),
        users: summary["uniqueUsers"].as_u64(),
        by_host,
        seconds: sent.seconds,
    };
    Ok(())
}

/// A use of a module that is off does not count.
pub(super) async fn check_while_off(platform: &Platform, report: &mut Report, sent: &Sent) -> Result<()> {
    let path = format!("/platform/modules/{}/usage", MODULES[0]);
    let event = json!({ "eventType": EVENT_TYPE, "status": "success" });
    let answer = platform.ask(Some(&MEMBER), Method::POST, &path, Some(&event)).await?;
    report.expect(
        "use of a module that is off",
        json!([answer.status, answer.body["code"]]),
        json!([422, "platform_off"]),
    );
    let stats = ask(platform, &format!("{path}/stats?eventType={EVENT_TYPE}")).await?;
    let expected = figures(sent.uses.iter().filter(|used| used.module == MODULES[0]));
    report.expect("figures of that module after it", told(&stats["summary"]), expected);
    Ok(())
}

async fn ask(platform: &Platform, path: &str) -> Result<Value> {
    platform.ask(Some(&ORG_ADMIN), Method::GET, path, None).await?.success(path)
}
