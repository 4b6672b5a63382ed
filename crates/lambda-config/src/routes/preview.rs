//! What a schedule would do, before it is saved.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::Json as Answer;
use axum::extract::{Path, State};
use jiff::Timestamp;
use mgmt_common::schedule::functions::WarmFunction;
use mgmt_common::schedule::preview::{Preview, PreviewInput, preview};
use mgmt_common::warming::targets::{ModuleFunctions, merge_targets};
use mgmt_common::web::body::Json;
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::signed_in::PlatformAdmin;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Shared;
use crate::store::leases::WARMING_KEY;
use crate::store::warming::read_warming;

/// Rules per event bus (EventBridge quotas; 100 in some Regions).
const RULES_PER_BUS: u32 = 300;
/// What a ping is assumed to be billed: the default hold and a little work.
const BILLED_MS_PER_PING: u32 = 600;
/// A preview that waits longer for AWS than this goes without it.
const AWS_TIME: Duration = Duration::from_secs(5);

/// The unsaved value.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PreviewRequest {
    #[serde(alias = "config_value")]
    #[schema(value_type = serde_json::Value)]
    config_value: Box<RawValue>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PreviewAnswer {
    #[serde(flatten)]
    preview: Preview,
    /// How many more rules the default event bus takes; null when EventBridge did not answer.
    rules_left_on_bus: Option<u32>,
}

/// Shows what a schedule would do: rules, the next 20 pings, pings per month, costs, warnings. Stores nothing.
#[utoipa::path(post, path = "/platform/lambda-config/{configKey}/preview", params(("configKey" = String, Path)),
    request_body = PreviewRequest, responses((status = 200, body = PreviewAnswer), (status = 404), (status = 422)))]
pub(super) async fn preview_schedule(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    Path(key): Path<String>,
    Json(body): Json<PreviewRequest>,
) -> Result<Answer<PreviewAnswer>> {
    if key != WARMING_KEY {
        return Err(Error::NotFound);
    }
    let config = super::configs::schedule(&body.config_value, &state.settings.boundary()).map_err(Error::Invalid)?;
    let row = read_warming(&state.database, &caller).await?;
    let included = row.modules.iter().filter(|_| config.include_modules());
    let wanted = merge_targets(config.functions(), &included.map(ModuleFunctions::targets).collect::<Vec<_>>());
    let functions: Vec<WarmFunction> = wanted.functions.into_iter().map(|wanted| wanted.function).collect();
    // Both only sharpen the preview: without AWS it still shows the schedule.
    let deadline = Instant::now() + AWS_TIME;
    let listed = tokio::time::timeout(AWS_TIME, state.functions.list(&state.settings.function_prefix));
    let counted = tokio::time::timeout(AWS_TIME, state.manager.count_rules(deadline));
    let (listed, counted) = tokio::join!(listed, counted);
    let memory_mb: BTreeMap<String, u32> = listed
        .ok()
        .and_then(Result::ok)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|function| Some((function.name, function.memory_mb.try_into().ok()?)))
        .collect();
    let input = PreviewInput {
        namespace: &state.settings.namespace,
        at: Timestamp::now(),
        functions: &functions,
        memory_mb: &memory_mb,
        billed_ms_per_ping: BILLED_MS_PER_PING,
    };
    let rules_left_on_bus = counted.ok().and_then(Result::ok).map(|count| RULES_PER_BUS.saturating_sub(count));
    Ok(Answer(PreviewAnswer { preview: preview(&config, &input), rules_left_on_bus }))
}
