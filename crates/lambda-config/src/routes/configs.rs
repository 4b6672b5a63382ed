//! Platform configs.
#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

use std::time::Instant;

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use mgmt_common::clock::now;
use mgmt_common::json::number::written_out_bytes;
use mgmt_common::schedule::config::WarmingConfig;
use mgmt_common::schedule::heartbeat::missed_tick;
use mgmt_common::schedule::stored::Schedule;
use mgmt_common::warming::boundary::Boundary;
use mgmt_common::web::body::Json;
use mgmt_common::web::error::{Error, Result};
use mgmt_common::web::etag::{self, IfMatch};
use mgmt_common::web::page::{Rows, link};
use mgmt_common::web::query::{Sent, query_of};
use mgmt_common::web::signed_in::PlatformAdmin;
use module_mgmt_protocol::caller::Caller;
use module_mgmt_protocol::field_error::FieldError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use super::sync::SyncAnswer;
use crate::actor::Actor;
use crate::config_key;
use crate::store::configs::{self as store, ConfigRow, DeleteOutcome, NewConfig, PutOutcome, StoredConfig};
use crate::store::leases::{Lease, RulesStatus, SyncRow, WARMING_KEY};
use crate::sync::{LeasedSync, REQUEST_TIME, SyncOutcome, pending, sync};

/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 2_000;
/// Longest value, in bytes with its numbers written out.
const MAX_VALUE_BYTES: u64 = 256 * 1024;

/// A platform config.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Config {
    #[serde(flatten)]
    config: StoredConfig,
    /// How far the EventBridge rules follow; only `lambda_warming` has rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    sync: Option<SyncState>,
}

/// The stored state of a config's rules.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SyncState {
    status: RulesStatus,
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

impl Config {
    fn of_row(row: ConfigRow, now: Timestamp) -> Self {
        let schedule = || serde_json::from_str(row.config.config_value.get()).ok();
        let schedule = || schedule().and_then(|value: Value| WarmingConfig::parse(&value).ok());
        let has_rules = row.config.config_key == WARMING_KEY;
        let sync = has_rules.then(|| sync_state(&row.config, row.sync.as_ref(), schedule, now));
        Self { config: row.config, sync }
    }
}

/// `schedule` is read only where a missed tick would tell something.
fn sync_state(
    config: &StoredConfig,
    row: Option<&SyncRow>,
    schedule: impl FnOnce() -> Option<WarmingConfig>,
    now: Timestamp,
) -> SyncState {
    let synced =
        row.is_some_and(|row| row.status == RulesStatus::Synced && row.applied_version == Some(config.row_version));
    let reason = row.and_then(|row| row.last_error.clone());
    // Where the rules are in place, due minutes must have runs.
    let settled = row.filter(|_| synced && config.is_active);
    SyncState {
        status: if synced { RulesStatus::Synced } else { RulesStatus::Pending },
        reason: reason.or_else(|| (!synced).then(|| "this version is not synced yet".to_owned())),
        applied_version: row.and_then(|row| row.applied_version),
        applied_at: row.and_then(|row| row.applied_at),
        attempted_at: row.and_then(|row| row.attempted_at),
        observed: row.and_then(|row| row.observed.clone()),
        missed_tick: settled.and_then(|row| missed_tick(&schedule()?, row.applied_at?, row.last_tick, now)),
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ConfigsQuery {
    /// 1 to 1,000, which is the default; fewer come where more would not fit into an answer.
    limit: Option<u16>,
    /// As the `Link` of the page before has it.
    cursor: Option<String>,
}

const ROWS: Rows = Rows { default: 1_000, most: 1_000 };

/// All platform configs, sorted by key. Where there are more, a `Link` header names the next page.
#[utoipa::path(get, path = "/platform/lambda-config", params(ConfigsQuery), responses((status = 200, body = Vec<Config>)))]
pub(super) async fn list_configs(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    query: Sent<ConfigsQuery>,
    asked: Uri,
) -> Result<(HeaderMap, Answer<Vec<Config>>)> {
    let query = query_of(query)?;
    let most = ROWS.asked(query.limit)?;
    let page = store::list_configs(&state.database, &caller, query.cursor.as_deref(), most).await?;
    let link = link(&page, &asked, "cursor", |last| last.config.config_key.clone());
    let now = now(&*state.clock);
    Ok((link, Answer(page.map(|row| Config::of_row(row, now)).rows)))
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
    let row = store::get_config(&state.database, &caller, &key).await?.ok_or(Error::NotFound)?;
    let config = Config::of_row(row, now(&*state.clock));
    // The rules may follow later, and ticks may come, without a new row version: such an answer must not be cached.
    let settled =
        config.sync.as_ref().is_none_or(|sync| sync.status == RulesStatus::Synced && sync.missed_tick.is_none());
    let tag = etag::of(config.config.row_version);
    if settled {
        return Ok(etag::cacheable(&headers, &tag, Answer(config)));
    }
    Ok(with_etag((super::no_store(), Answer(config)).into_response(), &tag))
}

/// What a PUT sends; `config_value` and `is_active` are accepted too.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PutConfig {
    /// Any JSON; for `lambda_warming` a schedule.
    #[serde(alias = "config_value")]
    #[schema(value_type = Value)]
    config_value: Box<RawValue>,
    /// Absent: stays as it is.
    #[serde(default)]
    description: Option<String>,
    /// Absent: stays as it is, and true for a new config.
    #[serde(default, alias = "is_active")]
    is_active: Option<bool>,
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
    let asked_at = Instant::now();
    let schedule = validate(&key, &body, &state.settings.boundary())?;
    let if_match = IfMatch::read(&headers)?;
    let new = NewConfig {
        key: &key,
        value: &body.config_value,
        description: body.description.as_deref(),
        is_active: body.is_active,
        has_rules: schedule.is_some(),
    };
    let (created, config, lease) = match store::put_config(&state.database, &caller, &new, &if_match).await? {
        PutOutcome::Stored { created, config, lease } => (created, *config, lease),
        PutOutcome::Stale { version, changed } => {
            return Err(Error::Stale {
                expected: if_match.to_string(),
                current_etag: version.map(etag::of).unwrap_or_default(),
                changed: changed.into_iter().map(str::to_owned).collect(),
            });
        }
    };
    let tag = etag::of(config.row_version);
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    let answer = match schedule {
        None => PutAnswer { config: Config { config, sync: None }, sync: None },
        Some(schedule) => follow(&state, &caller, config, schedule, lease, asked_at).await,
    };
    Ok(with_etag((status, Answer(answer)).into_response(), &tag))
}

/// Removes a config. `lambda_warming` only when its rules are gone from the bus: nobody would find them any more.
#[utoipa::path(delete, path = "/platform/lambda-config/{configKey}", params(("configKey" = String, Path)),
    responses((status = 204), (status = 404), (status = 409), (status = 412)))]
pub(super) async fn delete_config(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode> {
    let if_match = IfMatch::read(&headers)?;
    let stored = store::get_config(&state.database, &caller, &key).await?.ok_or(Error::NotFound)?;
    if key == WARMING_KEY && if_match.allows(Some(stored.config.row_version)) {
        let rules = state.manager.observe(&state.settings.namespace, Instant::now() + REQUEST_TIME).await?;
        let names = rules.iter().map(|rule| rule.name.as_str()).filter(|name| state.settings.namespace.owns(name));
        let own: Vec<&str> = names.collect();
        if !own.is_empty() {
            // A schedule that is off keeps its rules, disabled, so only a person takes them away.
            let detail = format!("rules of this schedule are on the bus; delete them there first: {}", own.join(", "));
            return Err(Error::conflict("rules_remain", detail));
        }
    }
    match store::delete_config(&state.database, &caller, &key, &if_match).await? {
        DeleteOutcome::Deleted => Ok(StatusCode::NO_CONTENT),
        DeleteOutcome::Missing => Err(Error::NotFound),
        DeleteOutcome::Syncing => Err(Error::conflict("sync_running", "a sync is at work on its rules; try again")),
        DeleteOutcome::Stale { version } => {
            Err(Error::Stale { expected: if_match.to_string(), current_etag: etag::of(version), changed: Vec::new() })
        }
    }
}

/// Brings the rules to a schedule that was saved: trouble from here on is part of the answer, not an error of the request.
async fn follow(
    state: &crate::State,
    caller: &Caller,
    config: StoredConfig,
    schedule: WarmingConfig,
    lease: Option<Lease>,
    asked_at: Instant,
) -> PutAnswer {
    let begun = lease.map(|lease| {
        let (is_active, version) = (config.is_active, config.row_version);
        LeasedSync::of_save(lease, Schedule { config: schedule.clone(), is_active, version }, asked_at)
    });
    let done = sync(state, Actor::Caller(caller), begun, false, asked_at + REQUEST_TIME).await;
    let (report, stored) = match done {
        Ok(SyncOutcome { version, report, stored }) => (report, stored.filter(|_| version == Some(config.row_version))),
        Err(error) => (pending(error.public_detail()), None),
    };
    // Another reconcile has the last word where it has taken over; value and tag stay those of this request.
    let stored = match stored {
        Some(stored) => Some(stored),
        None => match store::get_config(&state.database, caller, &config.config_key).await {
            Ok(Some(row)) if row.config.row_version == config.row_version => row.sync,
            _ => None,
        },
    };
    let sync = sync_state(&config, stored.as_ref(), || Some(schedule), now(&*state.clock));
    PutAnswer { config: Config { config, sync: Some(sync) }, sync: Some(SyncAnswer::from(report)) }
}

/// What a config says, and for `lambda_warming` its schedule.
fn validate(key: &str, body: &PutConfig, boundary: &Boundary) -> Result<Option<WarmingConfig>> {
    let mut errors = Vec::new();
    errors.extend(config_key::fault(key).map(|fault| FieldError::new("", fault)));
    if written_out_bytes(body.config_value.get()) > MAX_VALUE_BYTES {
        errors.push(FieldError::new("/configValue", format!("must have at most {MAX_VALUE_BYTES} bytes")));
        return Err(Error::Invalid(errors));
    }
    if body.description.as_ref().is_some_and(|text| text.chars().count() > MAX_DESCRIPTION) {
        errors.push(FieldError::new("/description", format!("must have at most {MAX_DESCRIPTION} characters")));
    }
    let schedule = (key == WARMING_KEY).then(|| schedule(&body.config_value, boundary));
    match schedule {
        Some(Ok(schedule)) if errors.is_empty() => Ok(Some(schedule)),
        None if errors.is_empty() => Ok(None),
        Some(Err(found)) => Err(Error::Invalid(errors.into_iter().chain(found).collect())),
        _ => Err(Error::Invalid(errors)),
    }
}

/// Parses a schedule of a request body; the pointers are those of the body.
pub(super) fn schedule(value: &RawValue, boundary: &Boundary) -> Result<WarmingConfig, Vec<FieldError>> {
    let value: Value =
        serde_json::from_str(value.get()).map_err(|error| vec![FieldError::new("/configValue", error.to_string())])?;
    let parsed = WarmingConfig::parse(&value).and_then(|config| {
        let faults = boundary.faults(config.functions(), "/lambda_functions");
        if faults.is_empty() { Ok(config) } else { Err(faults) }
    });
    parsed.map_err(|errors| {
        errors
            .into_iter()
            .map(|error| FieldError::new(format!("/configValue{}", error.pointer), error.message))
            .collect()
    })
}

fn with_etag(mut response: Response, tag: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}
