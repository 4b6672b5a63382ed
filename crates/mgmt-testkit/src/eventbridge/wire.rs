//! The request shapes of the EventBridge API reference, strict about unknown fields, and its error shape.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// An answer that AWS gives instead of a result.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Whether the request is one that no SDK client would send, so that the test must fail.
    pub(crate) is_violation: bool,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), is_violation: false }
    }

    pub(crate) fn violation(message: impl Into<String>) -> Self {
        Self { code: "SerializationException", message: message.into(), is_violation: true }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    pub(crate) fn no_such_rule(name: &str) -> Self {
        Self::new("ResourceNotFoundException", format!("Rule {name} does not exist on EventBus default."))
    }

    pub(crate) fn body(&self) -> Value {
        json!({"__type": self.code, "message": self.message})
    }
}

pub(crate) fn parse<T: DeserializeOwned>(action: &str, body: &Value) -> Result<T, Refusal> {
    serde_json::from_value(body.clone()).map_err(|error| Refusal::violation(format!("{action}: {error}")))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct PutRule {
    pub(crate) name: String,
    pub(crate) schedule_expression: Option<String>,
    pub(crate) event_pattern: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) event_bus_name: Option<String>,
    #[serde(default)]
    pub(crate) tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// `DescribeRule`, `EnableRule`, `DisableRule` and `DeleteRule`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct OneRule {
    pub(crate) name: String,
    pub(crate) event_bus_name: Option<String>,
    pub(crate) force: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct ListRules {
    pub(crate) name_prefix: Option<String>,
    pub(crate) event_bus_name: Option<String>,
    pub(crate) next_token: Option<String>,
    pub(crate) limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct PutTargets {
    pub(crate) rule: String,
    pub(crate) event_bus_name: Option<String>,
    pub(crate) targets: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct RemoveTargets {
    pub(crate) rule: String,
    pub(crate) event_bus_name: Option<String>,
    pub(crate) ids: Vec<String>,
    pub(crate) force: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct ListTargetsByRule {
    pub(crate) rule: String,
    pub(crate) event_bus_name: Option<String>,
    pub(crate) next_token: Option<String>,
    pub(crate) limit: Option<usize>,
}

/// `ListTagsForResource`, `TagResource` and `UntagResource`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneResource {
    #[serde(rename = "ResourceARN")]
    pub(crate) resource_arn: String,
    #[serde(rename = "Tags", default)]
    pub(crate) tags: Vec<Tag>,
    #[serde(rename = "TagKeys", default)]
    pub(crate) tag_keys: Vec<String>,
}

/// The fields of a target that a Lambda target may have; others belong to other services.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct LambdaTarget {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) input: Option<String>,
    pub(crate) retry_policy: Option<RetryPolicy>,
    pub(crate) dead_letter_config: Option<DeadLetterConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct RetryPolicy {
    pub(crate) maximum_retry_attempts: Option<i64>,
    pub(crate) maximum_event_age_in_seconds: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct DeadLetterConfig {
    pub(crate) arn: Option<String>,
}
