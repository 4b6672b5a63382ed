//! The actions that change nothing. Shapes: the Lambda API reference, page of each action.

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::answers::{ApiError, function_arn};
use super::function::FakeFunction;
use super::request::{Parameters, admit, invalid, split_name};
use super::state::{State, lock};

/// Lambda gives 50 functions per page at most, whatever `MaxItems` asks for.
const PAGE: usize = 50;

type SharedState = Shared<Arc<Mutex<State>>>;

/// Sorted by name in this fake; Lambda promises no order. The last page has a null marker.
pub(crate) async fn list_functions(
    Shared(state): SharedState,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let mut state = lock(&state);
    admit(&mut state, "lambda:ListFunctions", "*", &headers, &parameters, &["MaxItems", "Marker"])?;
    let limit = match parameters.get("MaxItems").map(|text| text.parse::<usize>()) {
        None => PAGE,
        Some(Ok(limit @ 1..=10_000)) => limit.min(PAGE),
        Some(_) => return Err(invalid("MaxItems must be between 1 and 10000")),
    };
    let after = parameters.get("Marker").map(String::as_str).unwrap_or_default();
    let mut rest = state.functions.values().filter(|running| running.function.name.as_str() > after).peekable();
    let page: Vec<Value> = rest.by_ref().take(limit).map(|running| configuration(&running.function)).collect();
    let next = rest.peek().and(page.last()).map(|last| last["FunctionName"].clone());
    Ok(Json(json!({"Functions": page, "NextMarker": next})))
}

pub(crate) async fn get_configuration(
    Shared(state): SharedState,
    Path(segment): Path<String>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let mut state = lock(&state);
    let (name, qualifier) = split_name(&segment);
    admit(&mut state, "lambda:GetFunctionConfiguration", &name, &headers, &parameters, &["Qualifier"])?;
    let qualifier = parameters.get("Qualifier").cloned().or(qualifier);
    let function = &existing(&state, &name, qualifier.as_deref())?;
    Ok(Json(configuration(function)))
}

pub(crate) async fn get_concurrency(
    Shared(state): SharedState,
    Path(segment): Path<String>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let mut state = lock(&state);
    let (name, _) = split_name(&segment);
    admit(&mut state, "lambda:GetFunctionConcurrency", &name, &headers, &parameters, &[])?;
    Ok(Json(match existing(&state, &name, None)?.reserved {
        Some(reserved) => json!({"ReservedConcurrentExecutions": reserved}),
        None => json!({}),
    }))
}

pub(crate) async fn get_account_settings(
    Shared(state): SharedState,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let mut state = lock(&state);
    admit(&mut state, "lambda:GetAccountSettings", "*", &headers, &parameters, &[])?;
    Ok(Json(json!({
        "AccountLimit": {
            "CodeSizeUnzipped": 262_144_000, "CodeSizeZipped": 52_428_800, "TotalCodeSize": 80_530_636_800_u64,
            "ConcurrentExecutions": state.total_concurrency,
            "UnreservedConcurrentExecutions": state.unreserved_concurrency,
        },
        "AccountUsage": {"FunctionCount": state.functions.len(), "TotalCodeSize": 0},
    })))
}

pub(crate) fn existing(state: &State, name: &str, qualifier: Option<&str>) -> Result<FakeFunction, ApiError> {
    let function = state.functions.get(name).map(|running| &running.function);
    let reached = function.filter(|function| {
        qualifier.is_none_or(|qualifier| function.qualifiers.iter().any(|known| known == qualifier))
    });
    reached.cloned().ok_or_else(|| ApiError::not_found(name, qualifier))
}

fn configuration(function: &FakeFunction) -> Value {
    json!({
        "FunctionName": function.name,
        "FunctionArn": function_arn(&function.name),
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "MemorySize": function.memory_mb,
        "Timeout": 30,
        "Architectures": ["arm64"],
        "LastModified": "2026-01-02T03:04:05.000+0000",
        "Description": function.description,
        "Version": "$LATEST",
        "CodeSha256": format!("sha256-of-{}", function.code),
        "CodeSize": 1_000_000,
        "State": "Active",
    })
}
