//! An event as it is sent.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// No use takes longer than a day; sums of such durations do not overflow.
pub const MAX_DURATION_MS: u64 = 86_400_000;
/// The largest event, as JSON.
pub const MAX_EVENT_BYTES: usize = 8 * 1024;

pub const EVENT_TYPES: [&str; 6] = ["api_call", "page_view", "feature_use", "error", "export", "import"];
pub const STATUSES: [&str; 3] = ["success", "failure", "partial"];

/// One use of a module, as it is sent; the snake_case spellings of the fields are read too.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UsageEvent {
    /// A UUIDv7 of the sender; the same id again is not counted again. Absent: the server makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `api_call`, `page_view`, `feature_use`, `error`, `export` or `import`.
    #[serde(alias = "event_type")]
    pub event_type: String,
    /// The module; in the path where only one event is sent.
    #[serde(default, alias = "module_name", skip_serializing_if = "Option::is_none")]
    pub module_name: Option<String>,
    /// What was done, in words of the module; at most 200 characters.
    #[serde(default, alias = "event_action", skip_serializing_if = "Option::is_none")]
    pub event_action: Option<String>,
    /// Any JSON; its keys are never re-cased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// The path that was called; at most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// At most 20 characters.
    #[serde(default, alias = "http_method", skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    /// Whole milliseconds, up to a day.
    #[serde(default, alias = "duration_ms", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "http", schema(value_type = Option<u32>))]
    pub duration_ms: Option<Number>,
    /// `success`, `failure` or `partial`.
    pub status: String,
    /// At most 200 characters.
    #[serde(default, alias = "error_code", skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// At most 2,000 characters.
    #[serde(default, alias = "error_message", skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// RFC 3339; its UTC day is the day the event counts for. Absent: the time of the id. Not part of what makes two events the same.
    #[serde(default, alias = "occurred_at", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "http", schema(format = DateTime))]
    pub occurred_at: Option<String>,
}
