//! What an organisation has said about a module, as it is stored and shown, and what a request says.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::module_change::present;

/// What the organisation itself has said.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
pub(crate) struct Override {
    /// False: off for this organisation.
    pub(crate) is_enabled: bool,
    #[schema(value_type = Option<Value>)]
    pub(crate) config: Option<Box<RawValue>>,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: Timestamp,
    pub(crate) created_by: Option<String>,
    pub(crate) updated_by: Option<String>,
    /// Counts changes; the ETag is this number in double quotes.
    pub(crate) row_version: i64,
}

/// What PUT sends; an absent field stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(as = OverrideBody)]
pub(crate) struct OverrideChange {
    /// False switches the module off for the organisation; true, which is the default, follows the platform.
    #[serde(alias = "is_enabled")]
    pub(crate) is_enabled: Option<bool>,
    /// Merged over the platform's config; null: nothing of its own.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<Value>)]
    pub(crate) config: Option<Option<Box<RawValue>>>,
}
