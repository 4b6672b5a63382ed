//! The functions of the account, and how each is warmed.

use std::time::Duration;

use axum::Json as Answer;
use axum::extract::State;
use mgmt_common::functions::FunctionSummary;
use mgmt_common::schedule::config::WarmingConfig;
use mgmt_common::schedule::functions::Payload;
use mgmt_common::warm_targets::{ModuleFunctions, WarmTarget, merge_targets};
use mgmt_common::web::error::{Dependency, Error, Result};
use mgmt_common::web::signed_in::PlatformAdmin;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Shared;
use crate::store::warming::{WarmingRow, read_warming};

/// All pages together; API Gateway gives up after 30 seconds.
const LIST_TIME: Duration = Duration::from_secs(20);

/// A function and how it is warmed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ListedFunction {
    #[serde(flatten)]
    function: FunctionSummary,
    /// One entry per qualifier that the schedule or a module names; empty when the function is not warmed.
    warming: Vec<FunctionWarming>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FunctionWarming {
    /// The module that wants it warm; null where the schedule itself names it.
    module: Option<String>,
    qualifier: Option<String>,
    /// How many instances are kept warm.
    concurrency: u16,
    /// `native`, `lambda-warmer`, `serverless-plugin-warmup` or `custom`.
    payload: &'static str,
    /// `unproven` before the first native ping, `probing` while it is under way (or after a crash in that moment), then
    /// `proven` or `suspended`. Other payloads prove nothing and stay `unproven`.
    status: String,
    /// Why it is suspended.
    reason: Option<String>,
    /// The function's part of the newest finished run.
    last_run: Option<Value>,
}

/// All functions of the account, or of this deployment's prefix, sorted by name.
#[utoipa::path(get, path = "/platform/lambda-functions",
    responses((status = 200, body = Vec<ListedFunction>), (status = 503)))]
pub(super) async fn list_functions(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
) -> Result<Answer<Vec<ListedFunction>>> {
    let functions = tokio::time::timeout(LIST_TIME, state.functions.list(&state.settings.function_prefix))
        .await
        .map_err(|_| Error::Unavailable {
            dependency: Dependency::Lambda,
            cause: format!("the list was not complete after {} seconds", LIST_TIME.as_secs()),
        })??;
    let row = read_warming(&state.database, &caller).await?;
    // A schedule that cannot be read warms nothing; GET of the config shows why.
    let schedule = row.config_value.as_ref().and_then(|value| WarmingConfig::parse(value).ok());
    let warmed = schedule.as_ref().map(|schedule| {
        let included = row.modules.iter().filter(|_| schedule.include_modules());
        merge_targets(schedule.functions(), &included.map(ModuleFunctions::targets).collect::<Vec<_>>()).functions
    });
    let warmed = warmed.unwrap_or_default();
    let listed = functions.into_iter().map(|function| {
        let is_own = |wanted: &&WarmTarget| [&function.name, &function.arn].contains(&&wanted.function.name);
        let own = warmed.iter().filter(is_own);
        let warming = own.map(|entry| warming(entry, &row)).collect();
        ListedFunction { function, warming }
    });
    Ok(Answer(listed.collect()))
}

fn warming(wanted: &WarmTarget, row: &WarmingRow) -> FunctionWarming {
    let entry = &wanted.function;
    let qualifier = entry.qualifier.as_deref().unwrap_or_default();
    // What native pings have shown says nothing about an entry with another payload.
    let targets = row.targets.iter().filter(|_| entry.payload == Payload::Native);
    let mut own = targets.filter(|target| target.function_name == entry.name && target.qualifier == qualifier);
    let target = own.next();
    let runs = row.last_run.as_ref().and_then(|run| run.functions.as_array());
    let last_run = runs.into_iter().flatten().find(|part| {
        part["name"] == entry.name.as_str() && part["qualifier"].as_str().unwrap_or_default() == qualifier
    });
    FunctionWarming {
        module: wanted.module.clone(),
        qualifier: entry.qualifier.clone(),
        concurrency: entry.concurrency,
        payload: match entry.payload {
            Payload::Native => "native",
            Payload::LambdaWarmer => "lambda-warmer",
            Payload::ServerlessPluginWarmup => "serverless-plugin-warmup",
            Payload::Custom(_) => "custom",
        },
        status: target.map_or_else(|| "unproven".to_owned(), |target| target.status.clone()),
        reason: target.and_then(|target| target.reason.clone()),
        last_run: last_run.cloned(),
    }
}
