//! The main job once, with real input, on a fresh platform. Every figure is observed from outside: over the HTTP API, or on
//! the bus.

mod access;
mod report;
mod warming;

use anyhow::Result;
use axum::http::Method;
use serde_json::Value;

use super::http::Answer;
use super::identity::Person;
use super::platform::Platform;
pub(crate) use report::Report;

/// Runs every part. A fault is part of the report; an error means that the run could not go on.
pub(crate) async fn run(platform: &Platform) -> Result<Report> {
    let mut report = Report::default();
    access::check(platform, &mut report).await?;
    warming::check(platform, &mut report).await?;
    Ok(report)
}

/// A request to the API as a person, or without an identity.
async fn call(
    platform: &Platform,
    person: Option<&Person>,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Answer> {
    let authorization = person.map(|person| platform.token(person)).transpose()?.map(|token| format!("Bearer {token}"));
    let headers: Vec<(&str, &str)> = authorization.iter().map(|value| ("authorization", value.as_str())).collect();
    platform.http.send(method, &format!("{}{path}", platform.url), &headers, body).await
}
