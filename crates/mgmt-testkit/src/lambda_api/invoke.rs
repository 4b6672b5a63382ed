//! `Invoke`, synchronous only.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::answers::{Answer, ApiError};
use super::function::{FakeFunction, Lease, Running};
use super::reads::existing;
use super::request::{Parameters, admit, invalid, split_name};
use super::state::{State, lock};
use crate::droppable_server::Connection;

/// Bytes of the Base64 text of `X-Amz-Client-Context` that Lambda takes.
const CLIENT_CONTEXT_BYTES: usize = 3583;

/// The longest hold that the ping protocol allows.
const LONGEST_HOLD: Duration = Duration::from_secs(2);

pub(crate) async fn invoke(
    Shared(state): Shared<Arc<Mutex<State>>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    Path(segment): Path<String>,
    headers: HeaderMap,
    parameters: Parameters,
    body: Bytes,
) -> Result<Response, ApiError> {
    let accepted = accept(&mut lock(&state), &segment, &headers, &parameters, &body)?;
    // On its own task, because an instance runs to the end even when its caller has gone.
    let run = tokio::spawn(run(Arc::clone(&state), accepted));
    match run.await {
        Ok(Ended::Answer(response)) => Ok(response),
        Ok(Ended::Close) => {
            connection.drop_without_answer();
            Ok(StatusCode::OK.into_response())
        }
        Ok(Ended::Hang) => pending().await,
        Err(_) => Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", "The fake panicked.")),
    }
}

struct Accepted {
    function: FakeFunction,
    answer: Answer,
    lease: Lease,
    payload: Value,
}

enum Ended {
    Answer(Response),
    Close,
    Hang,
}

/// Everything that Lambda decides before an instance sees the event.
fn accept(
    state: &mut State,
    segment: &str,
    headers: &HeaderMap,
    parameters: &Parameters,
    body: &[u8],
) -> Result<Accepted, ApiError> {
    let (name, qualifier) = split_name(segment);
    let admitted = admit(state, "lambda:InvokeFunction", &name, headers, parameters, &["Qualifier"]);
    let qualifier = parameters.get("Qualifier").cloned().or(qualifier);
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if !matches!(text("x-amz-invocation-type"), None | Some("RequestResponse")) {
        state.violations.push(format!("{name} was invoked with {:?}", text("x-amz-invocation-type")));
    }
    if !matches!(text("x-amz-log-type"), None | Some("None")) {
        state.violations.push(format!("{name} was invoked with log type {:?}", text("x-amz-log-type")));
    }
    let payload: Option<Value> = if body.is_empty() { Some(json!({})) } else { serde_json::from_slice(body).ok() };
    let context = text("x-amz-client-context").map(client_context);
    if let Some(running) = state.functions.get_mut(&name) {
        running.counters.invokes += 1;
        running.counters.payloads.push(payload.clone().unwrap_or_default());
        running.counters.client_contexts.push(context.clone().and_then(Result::ok));
        running.counters.qualifiers.push(qualifier.clone());
    }
    admitted?;
    let function = existing(state, &name, qualifier.as_deref())?;
    context.transpose().map_err(invalid)?;
    let payload = payload.ok_or_else(|| {
        let message = "Could not parse request body into json";
        ApiError::new(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
    })?;
    let State { functions, next_instance, .. } = state;
    let Some(running) = functions.get_mut(&name) else { return Err(ApiError::not_found(&name, None)) };
    let answer = running.script.pop_front().unwrap_or_else(|| function.answer.clone());
    match answer {
        Answer::Throttled(reason) => return Err(ApiError::throttled(reason)),
        Answer::NotFound => return Err(ApiError::not_found(&name, qualifier.as_deref())),
        Answer::AccessDenied => return Err(ApiError::denied("lambda:InvokeFunction", &name)),
        Answer::ServerError => {
            return Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", "Internal failure"));
        }
        _ => {}
    }
    let throttled = || ApiError::throttled("ReservedFunctionConcurrentInvocationLimitExceeded");
    let lease = running.lease(next_instance).ok_or_else(throttled)?;
    if answer != Answer::Native || native_ping(&payload).is_none() {
        running.counters.handled += 1;
    }
    let busy = state.functions.values().map(Running::busy).sum();
    state.max_concurrency = state.max_concurrency.max(busy);
    Ok(Accepted { function, answer, lease, payload })
}

/// The event on its instance.
async fn run(state: Arc<Mutex<State>>, accepted: Accepted) -> Ended {
    let Accepted { function, answer, lease, payload } = accepted;
    let init = if lease.is_cold { function.init } else { Duration::ZERO };
    let ping = native_ping(&payload).filter(|_| answer == Answer::Native);
    let time = init + function.duration + ping.unwrap_or_default();
    if !time.is_zero() {
        sleep(time).await;
    }
    if let Some(running) = lock(&state).functions.get_mut(&function.name) {
        running.release(&lease);
    }
    match answer {
        Answer::Hang => Ended::Hang,
        Answer::LostResponse => Ended::Close,
        Answer::FunctionError(body) => Ended::Answer(
            ([("x-amz-function-error", "Unhandled"), ("x-amz-executed-version", "$LATEST")], body.to_string())
                .into_response(),
        ),
        Answer::Raw(body) => answered(&body),
        _ if ping.is_some() => answered(&json!({
            "instanceId": lease.instance,
            "coldStart": lease.is_cold,
            "initMs": millis(function.init),
            "ageMs": millis(lease.born.elapsed()),
        })),
        _ => answered(&json!({"handled": true})),
    }
}

fn answered(body: &Value) -> Ended {
    Ended::Answer(([("x-amz-executed-version", "$LATEST")], body.to_string()).into_response())
}

/// How long the ping asks to hold the instance; `None` when the payload is not a native ping.
fn native_ping(payload: &Value) -> Option<Duration> {
    let ping = &payload["ping"];
    let is_ping = payload["source"] == "module-mgmt.warmer"
        && ping["runId"].is_string()
        && ping["invocation"].is_u64()
        && ping["of"].is_u64();
    if !is_ping {
        return None;
    }
    ping["holdMs"].as_u64().map(|hold| Duration::from_millis(hold).min(LONGEST_HOLD))
}

fn client_context(header: &str) -> Result<Value, String> {
    if header.len() > CLIENT_CONTEXT_BYTES {
        return Err(format!("Client context must be no more than {CLIENT_CONTEXT_BYTES} bytes when base64 encoded."));
    }
    let bytes = STANDARD.decode(header).map_err(|_| "Client context must be valid base64.".to_owned())?;
    serde_json::from_slice(&bytes).map_err(|_| "Client context must be a valid Base64-encoded JSON object.".to_owned())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
