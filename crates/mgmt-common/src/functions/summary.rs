//! A function as the console lists it.

use aws_sdk_lambda::types::{Architecture, FunctionConfiguration};
use serde::Serialize;

/// One function of the account. A function that runs a container image has no runtime and no handler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct FunctionSummary {
    pub name: String,
    pub arn: String,
    /// For example `provided.al2023`.
    pub runtime: Option<String>,
    pub memory_mb: i32,
    pub timeout_seconds: i32,
    /// `x86_64` or `arm64`.
    pub architectures: Vec<String>,
    /// ISO 8601 with milliseconds and offset, as Lambda gives it.
    pub last_modified: Option<String>,
    pub description: Option<String>,
    pub handler: Option<String>,
    /// `$LATEST` in a list.
    pub version: Option<String>,
}

impl From<FunctionConfiguration> for FunctionSummary {
    fn from(function: FunctionConfiguration) -> Self {
        let architectures = function.architectures.unwrap_or_default();
        Self {
            name: function.function_name.unwrap_or_default(),
            arn: function.function_arn.unwrap_or_default(),
            runtime: function.runtime.map(|runtime| runtime.as_str().to_owned()),
            memory_mb: function.memory_size.unwrap_or_default(),
            timeout_seconds: function.timeout.unwrap_or_default(),
            architectures: architectures.iter().map(Architecture::as_str).map(str::to_owned).collect(),
            last_modified: function.last_modified,
            description: function.description.filter(|text| !text.is_empty()),
            handler: function.handler,
            version: function.version,
        }
    }
}
