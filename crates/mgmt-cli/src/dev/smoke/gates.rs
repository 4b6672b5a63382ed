//! The two gates, one in Rust and one in Python, asked as a member asks.

use std::time::{Duration, Instant};

use anyhow::Result;
use axum::http::Method;

use super::Report;
use crate::dev::http::Answer;
use crate::dev::identity::MEMBER;
use crate::dev::platform::Platform;
use crate::dev::samples::{Gated, PYTHON_GATE, RUST_GATE};

/// So old may be what a gate knows: a request sent later than this after a change must be answered by it.
const LIMIT: Duration = Duration::from_secs(30);

/// When each of the gates followed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Followed {
    pub(super) rust: Option<u64>,
    pub(super) python: Option<u64>,
}

/// Asks both gates until they answer as their modules are since a moment; notes the seconds from then on.
pub(super) async fn follow(platform: &Platform, report: &mut Report, is_on: bool, since: Instant) -> Result<Followed> {
    let (rust, python) =
        tokio::try_join!(watch(platform, &RUST_GATE, is_on, since), watch(platform, &PYTHON_GATE, is_on, since))?;
    let mut note = |language: &str, gate: &Gated, seen: Seen| {
        let state = if is_on { "on" } else { "off" };
        let expected = expected(gate, is_on);
        let seconds = (seen.answer == expected).then_some(seen.seconds);
        report.expect(&format!("gate in {language} while {state}"), seen.answer, expected);
        report.observe(&format!("after so many seconds ({language}, {state})"), seconds);
        seconds
    };
    Ok(Followed { rust: note("Rust", &RUST_GATE, rust), python: note("Python", &PYTHON_GATE, python) })
}

/// The last answer, and when it came.
struct Seen {
    answer: String,
    seconds: u64,
}

async fn watch(platform: &Platform, gate: &Gated, is_on: bool, since: Instant) -> Result<Seen> {
    loop {
        let is_last = since.elapsed() > LIMIT;
        let answer = told(&platform.ask(Some(&MEMBER), Method::GET, &path(gate), None).await?);
        if is_last || answer == expected(gate, is_on) {
            return Ok(Seen { answer, seconds: since.elapsed().as_secs() });
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn path(gate: &Gated) -> String {
    format!("{}/4711", gate.prefix)
}

fn expected(gate: &Gated, is_on: bool) -> String {
    if is_on { format!("200 {}", path(gate)) } else { format!("503 module_disabled {} platform_off", gate.module) }
}

/// The status, and what the body says: the handler's path, or the gate's code, module and reason.
fn told(answer: &Answer) -> String {
    let words = ["path", "code", "module", "reason"].into_iter().filter_map(|field| answer.body[field].as_str());
    [answer.status.to_string().as_str()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
}
