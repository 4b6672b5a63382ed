//! Platform configs.

use std::time::Instant;

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use mgmt_common::schedule::config::WarmingConfig;
use mgmt_common::schedule::heartbeat::missed_tick;
use mgmt_common::web::body::Json;
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::etag::{self, IfMatch};
use mgmt_common::web::signed_in::PlatformAdmin;
use module_mgmt_protocol::caller::Caller;
use module_mgmt_protocol::field_error::FieldError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Shared;
use super::sync::SyncAnswer;
use crate::store::configs::{self as store, ConfigRow, Put, SyncRow};
use crate::store::leases::WARMING_KEY;
use crate::sync::{Actor, REQUEST_TIME, pending, sync};

/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 2_000;
/// As wide as the column.
const MAX_KEY: usize = 100;

/// A platform config.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Config {
    id: String,
    config_key: String,
    /// As it was stored; its keys are never re-cased.
    #[schema(value_type = Value)]
    config_value: Box<RawValue>,
    description: Option<String>,
    is_active: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    created_by: Option<String>,
    updated_by: Option<String>,
    /// Counts changes; the ETag is this number in double quotes.
    row_version: i64,
    /// How far the EventBridge rules follow; only `lambda_warming` has rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    sync: Option<SyncState>,
}

/// The stored state of a config's rules.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SyncState {
    /// `synced` when the rules were seen to follow exactly this version, else `pending`.
    status: &'static str,
    reason: Option<String>,
    applied_version: Option<i64>,
    #[schema(value_type = Option<String>, format = DateTime)]
    applied_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    attempted_at: Option<Timestamp>,
    /// The rules as the last reconcile left them.
    observed: Option<Value>,
    /// The newest due minute that should have a run and has none: rules fire, but nothing is warmed. Look at the
    /// permission of EventBridge to invoke the warmer, its qualifier, and the dead-letter queue.
    #[schema(value_type = Option<String>, format = DateTime)]
    missed_tick: Option<Timestamp>,
}

impl From<ConfigRow> for Config {
    fn from(row: ConfigRow) -> Self {
        let sync = (row.config_key == WARMING_KEY).then(|| sync_state(&row));
        Self {
            id: row.id,
            config_key: row.config_key,
            config_value: row.config_value,
            description: row.description,
            is_active: row.is_active,
            created_at: row.created_at,
            updated_at: row.updated_at,
            created_by: row.created_by,
            updated_by: row.updated_by,
            row_version: row.row_version,
            sync,
        }
    }
}

fn sync_state(config: &ConfigRow) -> SyncState {
    let row = config.sync.as_ref();
    let synced = row.is_some_and(|row| row.status == "synced" && row.applied_version == Some(config.row_version));
    let reason = row.and_then(|row| row.last_error.clone());
    SyncState {
        status: if synced { "synced" } else { "pending" },
        reason: reason.or_else(|| (!synced).then(|| "this version is not synced yet".to_owned())),
        applied_version: row.and_then(|row| row.applied_version),
        applied_at: row.and_then(|row| row.applied_at),
        attempted_at: row.and_then(|row| row.attempted_at),
        observed: row.and_then(|row| row.observed.clone()),
        missed_tick: row.filter(|_| synced && config.is_active).and_then(|row| missed(&config.config_value, row)),
    }
}

/// Where the rules are in place, due minutes must have runs.
fn missed(value: &RawValue, row: &SyncRow) -> Option<Timestamp> {
    let value = serde_json::from_str(value.get()).ok()?;
    let config = WarmingConfig::parse(&value).ok()?;
    missed_tick(&config, row.applied_at?, row.last_tick, Timestamp::now())
}

/// All platform configs, sorted by key.
#[utoipa::path(get, path = "/platform/lambda-config", responses((status = 200, body = Vec<Config>)))]
pub(super) async fn list_configs(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
) -> Result<Answer<Vec<Config>>> {
    let rows = store::list_configs(&state.database, &caller).await?;
    Ok(Answer(rows.into_iter().map(Config::from).collect()))
}

/// One platform config. Its ETag is the row version.
#[utoipa::path(get, path = "/platform/lambda-config/{configKey}", params(("configKey" = String, Path)),
    responses((status = 200, body = Config), (status = 304), (status = 404)))]
pub(super) async fn get_config(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let config = read(&state, &caller, &key).await?;
    // The rules may follow later, and ticks may come, without a new row version: such an answer must not be cached.
    let settled = config.sync.as_ref().is_none_or(|sync| sync.status == "synced" && sync.missed_tick.is_none());
    let tag = etag::of(config.row_version);
    if settled {
        return Ok(etag::cacheable(&headers, &tag, Answer(config)));
    }
    Ok(with_etag((super::no_store(), Answer(config)).into_response(), &tag))
}

/// What a PUT sends; `config_value` and `is_active` are accepted too.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PutConfig {
    /// Any JSON; for `lambda_warming` a schedule.
    #[serde(alias = "config_value")]
    #[schema(value_type = Value)]
    pub(crate) config_value: Box<RawValue>,
    /// Absent: stays as it is.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// Absent: stays as it is, and true for a new config.
    #[serde(default, alias = "is_active")]
    pub(crate) is_active: Option<bool>,
}

/// The stored config, and for `lambda_warming` what came of its rules.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PutAnswer {
    config: Config,
    #[serde(skip_serializing_if = "Option::is_none")]
    sync: Option<SyncAnswer>,
}

/// Creates or replaces a config. `lambda_warming` is validated, stored and synced; when AWS fails it is stored all the same,
/// and `sync.status` is `pending` with the reason.
#[utoipa::path(put, path = "/platform/lambda-config/{configKey}", params(("configKey" = String, Path)),
    request_body = PutConfig,
    responses((status = 200, body = PutAnswer), (status = 201, body = PutAnswer), (status = 412), (status = 422)))]
pub(super) async fn put_config(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    Path(key): Path<String>,
    headers: HeaderMap,
    Json(body): Json<PutConfig>,
) -> Result<Response> {
    let deadline = Instant::now() + REQUEST_TIME;
    let has_rules = key == WARMING_KEY;
    validate(&key, &body)?;
    let if_match = IfMatch::read(&headers)?;
    let put = store::put_config(&state.database, &caller, &key, &body, &if_match, has_rules).await?;
    let (created, row) = match put {
        Put::Stored { created, row } => (created, row),
        Put::Stale { version, changed } => {
            return Err(Error::Stale {
                expected: headers
                    .get(header::IF_MATCH)
                    .and_then(|tag| tag.to_str().ok())
                    .unwrap_or_default()
                    .to_owned(),
                current_etag: Put::etag(version),
                changed: changed.into_iter().map(str::to_owned).collect(),
            });
        }
    };
    let sync = if has_rules {
        // The schedule is stored: trouble from here on is part of the answer, not an error of the request.
        let done = sync(&state, Actor::Caller(&caller), false, deadline).await;
        Some(SyncAnswer::from(done.map_or_else(|error| pending(error.public_detail()), |done| done.report)))
    } else {
        None
    };
    let mut config = Config::from(*row);
    if sync.is_some()
        && let Ok(Some(now)) = store::get_config(&state.database, &caller, &key).await
        && now.row_version == config.row_version
    {
        // Only the state of the rules is read again: value and tag stay those of this request.
        config.sync = Some(sync_state(&now));
    }
    let tag = etag::of(config.row_version);
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(with_etag((status, Answer(PutAnswer { config, sync })).into_response(), &tag))
}

fn validate(key: &str, body: &PutConfig) -> Result<()> {
    let mut errors = Vec::new();
    let count = key.chars().count();
    if count > MAX_KEY || key.trim() != key {
        errors.push(FieldError::new(
            "",
            format!("the config key must have 1 to {MAX_KEY} characters and no outer spaces"),
        ));
    }
    if body.description.as_ref().is_some_and(|text| text.chars().count() > MAX_DESCRIPTION) {
        errors.push(FieldError::new("/description", format!("must have at most {MAX_DESCRIPTION} characters")));
    }
    if key == WARMING_KEY
        && let Err(found) = schedule(&body.config_value)
    {
        errors.extend(found);
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

/// Parses a schedule of a request body; the pointers are those of the body.
pub(super) fn schedule(value: &RawValue) -> Result<WarmingConfig, Vec<FieldError>> {
    let value: Value =
        serde_json::from_str(value.get()).map_err(|error| vec![FieldError::new("/configValue", error.to_string())])?;
    WarmingConfig::parse(&value).map_err(|errors| {
        errors
            .into_iter()
            .map(|error| FieldError::new(format!("/configValue{}", error.pointer), error.message))
            .collect()
    })
}

async fn read(state: &crate::State, caller: &Caller, key: &str) -> Result<Config> {
    let row = store::get_config(&state.database, caller, key).await?;
    row.map(Config::from).ok_or(Error::NotFound)
}

fn with_etag(mut response: Response, tag: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}
