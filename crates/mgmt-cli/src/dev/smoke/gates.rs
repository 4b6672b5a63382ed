//! The two gates, one in Rust and one in Python, asked as a member asks.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use axum::http::Method;

use super::call;
use crate::dev::http::Answer;
use crate::dev::identity::MEMBER;
use crate::dev::platform::Platform;
use crate::dev::samples::{Gated, PYTHON_GATE, RUST_GATE};

/// What a gate knows may be 30 seconds old, and the answer takes a moment.
const LIMIT: Duration = Duration::from_secs(32);

/// What each of the gates was seen to do.
#[derive(Debug)]
pub(super) struct Both<T> {
    pub(super) rust: T,
    pub(super) python: T,
}

/// Waits until both let requests pass; answers the seconds that each took.
pub(super) async fn wait_until_open(platform: &Platform) -> Result<Both<u64>> {
    let is_open = |answer: &Answer, gate: &Gated, path: &str| {
        anyhow::ensure!(
            answer.status == 200 || answer.body["code"] == "module_disabled",
            "the gate of {} answered {}: {}",
            gate.module,
            answer.status,
            answer.body
        );
        Ok(answer.status == 200 && answer.body["path"] == path)
    };
    both(platform, is_open).await
}

/// Waits until both answer 503 with the module and the reason; answers the seconds that each took.
pub(super) async fn wait_until_closed(platform: &Platform) -> Result<Both<u64>> {
    let is_closed = |answer: &Answer, gate: &Gated, _: &str| {
        if answer.status == 200 {
            return Ok(false);
        }
        let body = &answer.body;
        let told = (answer.status, body["code"].as_str(), body["module"].as_str(), body["reason"].as_str());
        let wanted = (503, Some("module_disabled"), Some(gate.module), Some("platform_off"));
        anyhow::ensure!(told == wanted, "the gate of {} answered {}: {body}", gate.module, answer.status);
        Ok(true)
    };
    both(platform, is_closed).await
}

async fn both(platform: &Platform, done: impl Fn(&Answer, &Gated, &str) -> Result<bool>) -> Result<Both<u64>> {
    let (rust, python) = tokio::try_join!(wait(platform, &RUST_GATE, &done), wait(platform, &PYTHON_GATE, &done))?;
    Ok(Both { rust, python })
}

async fn wait(platform: &Platform, gate: &Gated, done: &impl Fn(&Answer, &Gated, &str) -> Result<bool>) -> Result<u64> {
    let started = Instant::now();
    let path = format!("{}/4711", gate.prefix);
    loop {
        let answer = call(platform, Some(&MEMBER), Method::GET, &path, None).await?;
        if done(&answer, gate, &path)? {
            return Ok(started.elapsed().as_secs());
        }
        if started.elapsed() > LIMIT {
            let limit = LIMIT.as_secs();
            bail!("the gate of {} still answers {} after {limit} seconds: {}", gate.module, answer.status, answer.body);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
