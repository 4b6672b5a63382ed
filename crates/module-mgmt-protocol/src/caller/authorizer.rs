//! What API Gateway's authorizer says about a request, reduced to what authority may be read from.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// `requestContext.authorizer`, whatever shape it has.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Authorizer(Claim);

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Claim {
    Bool(bool),
    Text(String),
    Object(Claims),
    /// A number, a list or null: grants nothing.
    Other(IgnoredAny),
}

/// Claims by name.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub(super) struct Claims(BTreeMap<String, Claim>);

impl Default for Authorizer {
    /// No authorizer.
    fn default() -> Self {
        Self(Claim::Other(IgnoredAny))
    }
}

impl Authorizer {
    /// The typed context of a Lambda authorizer, else the claims of a JWT authorizer.
    pub(super) fn claims(&self) -> Option<&Claims> {
        let Claim::Object(authorizer) = &self.0 else { return None };
        authorizer.object("lambda").or_else(|| authorizer.object("jwt")?.object("claims"))
    }
}

impl Claims {
    fn object(&self, name: &str) -> Option<&Self> {
        match self.0.get(name)? {
            Claim::Object(claims) => Some(claims),
            _ => None,
        }
    }

    /// A text that is no flattened array or object.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Claim::Text(text) if !text.starts_with('[') && !text.starts_with("map[") => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Claim::Bool(value)) => *value,
            Some(Claim::Text(text)) => text == "true",
            _ => false,
        }
    }
}
