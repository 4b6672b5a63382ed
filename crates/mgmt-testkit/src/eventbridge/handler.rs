//! One HTTP request: checks the protocol, plays the scripted fault, runs the action and records what happened.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::actions::run;
use super::bus::{Bus, rule_arn};
use super::faults::Fault;
use super::record::{Call, Moment, State, is_write, lock};
use super::wire::Refusal;
use crate::droppable_server::Connection;

pub(crate) async fn handle(
    Shared(state): Shared<Arc<Mutex<State>>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let outcome = answer(&mut lock(&state), &headers, &body);
    match outcome {
        Outcome::Answer(result) => respond(result),
        Outcome::Close => {
            connection.drop_without_answer();
            StatusCode::OK.into_response()
        }
        Outcome::Hang => pending().await,
    }
}

enum Outcome {
    Answer(Result<Value, Refusal>),
    Close,
    Hang,
}

fn answer(state: &mut State, headers: &HeaderMap, body: &[u8]) -> Outcome {
    let (action, body) = match check_protocol(headers, body) {
        Ok(request) => request,
        Err(violation) => {
            state.violations.push(violation.clone());
            return Outcome::Answer(Err(Refusal::new("SerializationException", violation)));
        }
    };
    let fault = state.script.next(&action);
    let outcome = play(state, fault, &action, &body);
    let answer = match (&outcome, fault) {
        (Outcome::Answer(Err(refusal)), _) => Some(refusal.code.to_owned()),
        (_, Some(fault)) => Some(format!("{fault:?}")),
        _ => None,
    };
    state.calls.push(Call { action, body, at: Instant::now(), answer });
    outcome
}

fn play(state: &mut State, fault: Option<Fault>, action: &str, body: &Value) -> Outcome {
    let refuse = |code, message: &str| Outcome::Answer(Err(Refusal::new(code, message)));
    match fault {
        None => Outcome::Answer(apply(state, action, body, false)),
        Some(Fault::FailedEntry) => Outcome::Answer(apply(state, action, body, true)),
        Some(Fault::Stale { writes }) => Outcome::Answer(apply_stale(state, action, body, writes)),
        Some(Fault::Throttling) => refuse("ThrottlingException", "Rate exceeded"),
        Some(Fault::ConcurrentModification) => {
            refuse("ConcurrentModificationException", "Rule is being modified by another request")
        }
        Some(Fault::Internal) => refuse("InternalException", "Internal failure"),
        Some(Fault::LimitExceeded) => {
            refuse("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
        }
        Some(Fault::AccessDenied) => Outcome::Answer(Err(access_denied(action, body))),
        Some(Fault::InternalAfterApplying) => match apply(state, action, body, false) {
            Ok(_) => refuse("InternalException", "Internal failure"),
            refused => Outcome::Answer(refused),
        },
        Some(Fault::Dropped) => Outcome::Close,
        Some(Fault::LostResponse) => {
            let _ = apply(state, action, body, false);
            Outcome::Close
        }
        Some(Fault::Hang) => Outcome::Hang,
        Some(Fault::HangAfterApplying) => {
            let _ = apply(state, action, body, false);
            Outcome::Hang
        }
    }
}

/// Runs the action on the bus; a write adds a moment to the timeline, unless AWS's rules refused it.
fn apply(state: &mut State, action: &str, body: &Value, fail_entry: bool) -> Result<Value, Refusal> {
    let answer = run(&mut state.bus, action, body, fail_entry);
    match &answer {
        Ok(_) if is_write(action) => {
            state.timeline.push(Moment { call: state.calls.len() + 1, bus: state.bus.clone() });
        }
        Err(refusal) if refusal.is_violation => state.violations.push(refusal.message.clone()),
        _ => {}
    }
    answer
}

fn apply_stale(state: &mut State, action: &str, body: &Value, writes: usize) -> Result<Value, Refusal> {
    if is_write(action) {
        return apply(state, action, body, false);
    }
    let mut old: Bus = match state.timeline.len().checked_sub(writes + 1) {
        Some(index) => state.timeline[index].bus.clone(),
        None => state.timeline.first().map(|moment| moment.bus.clone()).unwrap_or_default(),
    };
    run(&mut old, action, body, false)
}

fn access_denied(action: &str, body: &Value) -> Refusal {
    let name = ["Name", "Rule"].iter().find_map(|field| body[field].as_str());
    let resource = match (name, body["ResourceARN"].as_str()) {
        (Some(name), _) => rule_arn(name),
        (None, Some(arn)) => arn.to_owned(),
        (None, None) => rule_arn("*"),
    };
    Refusal::new(
        "AccessDeniedException",
        format!(
            "User: arn:aws:sts::123456789012:assumed-role/fake/test is not authorized to perform: events:{action} on \
             resource: {resource} because no identity-based policy allows the events:{action} action"
        ),
    )
}

/// The action and the JSON body, or what is wrong with the request as such.
fn check_protocol(headers: &HeaderMap, body: &[u8]) -> Result<(String, Value), String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let target = text("x-amz-target");
    let Some(action) = target.strip_prefix("AWSEvents.") else {
        return Err(format!("X-Amz-Target is {target:?}, not AWSEvents.<action>"));
    };
    if !text("authorization").starts_with("AWS4-HMAC-SHA256 Credential=") || text("x-amz-date").is_empty() {
        return Err(format!("{action} is not signed with AWS Signature Version 4"));
    }
    if text("content-type") != "application/x-amz-json-1.1" {
        return Err(format!("{action} is not application/x-amz-json-1.1"));
    }
    let body = serde_json::from_slice(body).map_err(|error| format!("{action} has no JSON body: {error}"))?;
    Ok((action.to_owned(), body))
}

fn respond(result: Result<Value, Refusal>) -> Response {
    let (status, body) = match result {
        Ok(body) => (StatusCode::OK, body),
        Err(refusal) if refusal.code == "InternalException" => (StatusCode::INTERNAL_SERVER_ERROR, refusal.body()),
        Err(refusal) => (StatusCode::BAD_REQUEST, refusal.body()),
    };
    let body = if body.is_null() { json!({}) } else { body };
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.1")], body.to_string()).into_response()
}
