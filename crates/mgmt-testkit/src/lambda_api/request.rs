//! What every request must have, whatever its route.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Query, Request, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;

use super::answers::ApiError;
use super::state::{State, lock};

pub(crate) type Parameters = Query<BTreeMap<String, String>>;

/// Counts the call and checks signature, permission and query parameters.
pub(crate) fn admit(
    state: &mut State,
    action: &'static str,
    function: &str,
    headers: &HeaderMap,
    parameters: &Parameters,
    allowed: &[&str],
) -> Result<(), ApiError> {
    *state.calls.entry(action).or_default() += 1;
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !text("authorization").starts_with("AWS4-HMAC-SHA256 Credential=") || text("x-amz-date").is_empty() {
        state.violations.push(format!("{action} is not signed with AWS Signature Version 4"));
        return Err(ApiError::new(StatusCode::FORBIDDEN, "MissingAuthenticationTokenException", "Missing token"));
    }
    if let Some(unknown) = parameters.keys().find(|name| !allowed.contains(&name.as_str())) {
        state.violations.push(format!("{action} has the unknown parameter {unknown}"));
        return Err(invalid(format!("Unknown parameter {unknown}")));
    }
    if state.denied.contains(action) {
        return Err(ApiError::denied(action, function));
    }
    if state.throttled.contains(action) {
        return Err(ApiError::throttled("CallerRateLimitExceeded"));
    }
    Ok(())
}

pub(crate) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message)
}

/// The name in a path segment, which may also be an ARN or `name:qualifier`.
pub(crate) fn split_name(segment: &str) -> (String, Option<String>) {
    let rest = match segment.strip_prefix("arn:aws:lambda:") {
        Some(arn) => arn.splitn(4, ':').nth(3).unwrap_or_default(),
        None => segment,
    };
    match rest.split_once(':') {
        Some((name, qualifier)) => (name.to_owned(), Some(qualifier.to_owned())),
        None => (rest.to_owned(), None),
    }
}

/// Measures how many reads are under way together.
pub(crate) async fn count_read(Shared(state): Shared<Arc<Mutex<State>>>, request: Request, next: Next) -> Response {
    let time = {
        let mut state = lock(&state);
        state.reads += 1;
        state.max_reads = state.max_reads.max(state.reads);
        state.read_time
    };
    tokio::time::sleep(time).await;
    let answer = next.run(request).await;
    lock(&state).reads -= 1;
    answer
}

pub(crate) async fn unknown_route(Shared(state): Shared<Arc<Mutex<State>>>, method: Method, uri: Uri) -> ApiError {
    lock(&state).violations.push(format!("there is no route {method} {uri}"));
    ApiError::new(StatusCode::NOT_FOUND, "UnknownOperationException", "Unknown operation")
}
