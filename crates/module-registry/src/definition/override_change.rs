//! What an organisation has said about a module, as it is stored and shown, and what a request says.

use jiff::Timestamp;
use module_mgmt_protocol::field_error::FieldError;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::module_change::present;

/// What the organisation itself has said.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
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

/// An override as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShownOverride {
    #[serde(flatten)]
    pub(crate) own: Override,
    /// False: merged over the platform's config, which has changed since, it is not valid. It is kept, and not applied until somebody
    /// mends it.
    pub(crate) fits: bool,
    /// Where it does not fit, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) misfit: Option<FieldError>,
}

/// The overrides that do not fit a module as it is now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UnfitOverrides {
    pub(crate) count: usize,
    /// False: there were too many to look at all of them, and there may be more.
    pub(crate) is_complete: bool,
    /// The first hundred, sorted by organisation.
    pub(crate) first: Vec<UnfitOverride>,
}

/// An organisation whose own config is not applied.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UnfitOverride {
    pub(crate) org_id: String,
    /// JSON pointer into the merged config.
    pub(crate) pointer: String,
    pub(crate) message: String,
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
