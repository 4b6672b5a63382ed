//! The two ways on which uses come, and what each says about them.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use axum::http::Method;
use serde_json::{Value, json};

use super::uses::{EACH, Use, by_http, by_queue, unknown};
use crate::dev::functions::{USAGE_BACKGROUND, USAGE_QUEUE};
use crate::dev::identity::MEMBER;
use crate::dev::platform::Platform;
use crate::output::progress;

/// Events of one request.
const BATCH: usize = 100;
/// The queue's last message must be counted so long after it was sent.
const DRAIN_LIMIT: Duration = Duration::from_secs(60);

/// Events accepted, duplicates, conflicts and rejects, and why those were rejected.
pub(super) type Became = ([u64; 4], Vec<String>);

/// As a member, in batches.
pub(super) async fn over_http(platform: &Platform, uses: &[Use]) -> Result<Became> {
    let path = "/platform/modules/usage";
    let mut events: Vec<Value> = by_http().into_iter().map(|nth| uses[nth].event()).collect();
    events.insert(EACH / 2, unknown());
    let (mut counts, mut reasons) = ([0; 4], Vec::new());
    for events in events.chunks(BATCH) {
        let body = json!({ "events": events });
        let answer = platform.ask(Some(&MEMBER), Method::POST, path, Some(&body)).await?.success(path)?;
        add(&mut counts, &answer);
        let results = answer["results"].as_array().into_iter().flatten();
        reasons.extend(results.filter_map(|result| Some(result["reason"].as_str()?.to_owned())));
    }
    Ok((counts, reasons))
}

/// As messages that say for whom they count.
pub(super) async fn over_queue(platform: &Platform, uses: &[Use]) -> Result<()> {
    let message =
        |user: &str, event: Value| json!({ "orgId": MEMBER.org_id, "userId": user, "event": event }).to_string();
    let mut messages: Vec<String> =
        by_queue().into_iter().map(|nth| message(&uses[nth].user, uses[nth].event())).collect();
    messages.insert(EACH / 2, message(MEMBER.id, unknown()));
    platform.aws.send_messages(USAGE_QUEUE, &messages).await
}

/// Waits until the queue is empty and its function has told of every message; answers what became of them.
pub(super) async fn drain(platform: &Platform) -> Result<Became> {
    let started = Instant::now();
    let mut told = Duration::ZERO;
    loop {
        let left = platform.aws.messages_left(USAGE_QUEUE).await?;
        let (counts, reasons) = logged(platform).await?;
        // The log may come later than the acknowledgement.
        if left == 0 && counts.iter().sum::<u64>() > u64::try_from(EACH)? {
            return Ok((counts, reasons));
        }
        let waited = started.elapsed();
        if waited > DRAIN_LIMIT {
            bail!("{left} messages are left in the usage queue, and its function counted {counts:?}");
        }
        if waited - told >= Duration::from_secs(5) {
            told = waited;
            progress(&format!("  {left} uses of modules are still in the queue"));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn logged(platform: &Platform) -> Result<Became> {
    let (mut counts, mut reasons) = ([0; 4], Vec::new());
    for line in platform.aws.logged(USAGE_BACKGROUND).await? {
        let Ok(line) = serde_json::from_str::<Value>(&line) else { continue };
        match line["message"].as_str() {
            Some("messages are counted") => add(&mut counts, &line),
            Some("a message is not counted") => reasons.extend(line["reason"].as_str().map(str::to_owned)),
            _ => {}
        }
    }
    Ok((counts, reasons))
}

fn add(counts: &mut [u64; 4], answer: &Value) {
    for (count, name) in counts.iter_mut().zip(["accepted", "duplicates", "conflicts", "rejected"]) {
        *count += answer[name].as_u64().unwrap_or(0);
    }
}
