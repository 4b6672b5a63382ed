//! One use of a module: what a host records and the control plane counts.

pub mod reject_reason;

use serde::Serialize;

/// No use takes longer than a day; sums of such durations do not overflow.
pub const MAX_DURATION_MS: u32 = 86_400_000;
/// The largest event, as JSON.
pub const MAX_EVENT_BYTES: usize = 8 * 1024;
/// The longest texts of an event, in characters.
pub mod longest {
    pub const MODULE_NAME: usize = 200;
    pub const EVENT_ACTION: usize = 200;
    pub const ENDPOINT: usize = 2_000;
    pub const HTTP_METHOD: usize = 20;
    pub const ERROR_CODE: usize = 200;
    pub const ERROR_MESSAGE: usize = 2_000;
}

// The types of events and their statuses are sent and in no answer, so that nobody reads them with serde: a request is read by
// `from_text`, which knows the words of its version and no others.

/// What kind of use it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventType {
    ApiCall,
    PageView,
    FeatureUse,
    Error,
    Export,
    Import,
}

impl EventType {
    pub const ALL: [Self; 6] =
        [Self::ApiCall, Self::PageView, Self::FeatureUse, Self::Error, Self::Export, Self::Import];

    /// As the API and the database spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiCall => "api_call",
            Self::PageView => "page_view",
            Self::FeatureUse => "feature_use",
            Self::Error => "error",
            Self::Export => "export",
            Self::Import => "import",
        }
    }

    /// The type that the API spells so.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }
}

/// How a use ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventStatus {
    Success,
    Failure,
    /// Some of it succeeded.
    Partial,
}

impl EventStatus {
    pub const ALL: [Self; 3] = [Self::Success, Self::Failure, Self::Partial];

    /// As the API and the database spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Partial => "partial",
        }
    }

    /// The status that the API spells so.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }
}

/// A message of the usage queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageMessage {
    pub org_id: String,
    pub user_id: String,
    pub event: UsageEvent,
}

/// One use of a module. `M` is the JSON of the metadata, for example `serde_json::Value`; without metadata it stays `()`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = UsageEvent, bound = ""))]
#[serde(rename_all = "camelCase")]
pub struct UsageEvent<M = ()> {
    /// A UUIDv7 of the sender; the same id again is not counted again. Absent: the server makes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub event_type: EventType,
    /// The module; in the path where only one event is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module_name: Option<String>,
    /// What was done, in words of the module; at most 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_action: Option<String>,
    /// Any JSON; its keys are never re-cased.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<utoipa::openapi::schema::Object>))]
    pub metadata: Option<M>,
    /// The path that was called; at most 2,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// At most 20 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    /// Whole milliseconds, up to a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u32>,
    pub status: EventStatus,
    /// At most 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// At most 2,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// RFC 3339; its UTC day is the day the event counts for. Absent: the time of the id. Not part of what makes two events the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub occurred_at: Option<String>,
}
