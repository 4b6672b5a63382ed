//! What a bus holds.

use std::collections::BTreeMap;

use serde_json::Value;

/// The default bus: rules by name.
pub type Bus = BTreeMap<String, Rule>;

/// A rule with its targets and tags, as AWS stores them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rule {
    pub expression: Option<String>,
    pub event_pattern: Option<String>,
    /// `ENABLED` or `DISABLED`.
    pub state: String,
    pub description: Option<String>,
    pub role_arn: Option<String>,
    /// The AWS service that manages the rule, for example `securityhub.amazonaws.com`.
    pub managed_by: Option<String>,
    pub targets: BTreeMap<String, Target>,
    pub tags: BTreeMap<String, String>,
}

/// A target, with its fields as they were sent (`Id`, `Arn`, `Input`, `RetryPolicy`, `DeadLetterConfig`, ...).
pub type Target = Value;

impl Rule {
    /// An enabled scheduled rule without targets and tags.
    pub fn scheduled(expression: &str) -> Self {
        Self { expression: Some(expression.to_owned()), state: "ENABLED".to_owned(), ..Self::default() }
    }

    /// Adds a target that has nothing but an id, an ARN and an input.
    #[must_use]
    pub fn with_target(mut self, id: &str, arn: &str, input: &str) -> Self {
        self.targets.insert(id.to_owned(), serde_json::json!({"Id": id, "Arn": arn, "Input": input}));
        self
    }

    #[must_use]
    pub fn with_tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Whether the rule would invoke something when its time comes.
    pub fn is_active(&self) -> bool {
        self.state == "ENABLED" && !self.targets.is_empty()
    }
}

/// The ARN of a rule of the fake's account on the default bus.
pub(crate) fn rule_arn(name: &str) -> String {
    format!("arn:aws:events:eu-central-1:123456789012:rule/{name}")
}
