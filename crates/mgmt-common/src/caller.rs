//! Who asks: read from what API Gateway's authorizer says, and from nothing else.
//!
//! HTTP API payload 2.0 puts a Lambda authorizer's context, typed, under `requestContext.authorizer.lambda`, and a JWT
//! authorizer's claims, all as strings, under `.jwt.claims`; there an array becomes `[a b]` and an object `map[k:v]`.
//! Authority comes from flat scalars only, so such a flattened claim grants nothing.

#[cfg(feature = "http")]
mod extract;

use std::collections::BTreeSet;

#[cfg(feature = "http")]
pub use extract::PlatformAdmin;
use serde_json::{Map, Value, json};

use crate::modules::decision::Permissions;

/// Longest user or organisation id, in characters.
const MAX_ID_LENGTH: usize = 200;

/// The claims' names, which differ between identity providers.
#[derive(Debug, Clone)]
pub struct ClaimNames {
    pub user: String,
    pub organisation: String,
    pub platform_admin: String,
    pub organisation_admin: String,
    pub permissions: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            user: "sub".into(),
            organisation: "org_id".into(),
            platform_admin: "is_platform_admin".into(),
            organisation_admin: "is_org_admin".into(),
            permissions: "permissions".into(),
        }
    }
}

/// A person or program with an identity. A handler that takes no `Caller` visibly needs none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub user_id: String,
    pub org_id: String,
    pub is_platform_admin: bool,
    pub is_org_admin: bool,
    pub permissions: BTreeSet<String>,
    /// The request in whose course the caller asks; audit rows name it. Empty outside requests.
    pub request_id: String,
}

impl Caller {
    /// Reads the authorizer object of a request. `None` is a caller without identity: absent or odd ids, the API keys'
    /// roles `anon` and `service_role`, and anonymous sign-ins. They are all answered alike.
    pub fn from_authorizer(authorizer: &Value, names: &ClaimNames) -> Option<Self> {
        let typed = authorizer.get("lambda").and_then(Value::as_object);
        let claims = typed.or_else(|| authorizer.pointer("/jwt/claims").and_then(Value::as_object))?;
        if is_true(claims, "is_anonymous") || matches!(flat(claims, "role"), Some("anon" | "service_role")) {
            return None;
        }
        Some(Self {
            user_id: id(claims, &names.user)?,
            org_id: id(claims, &names.organisation)?,
            is_platform_admin: is_true(claims, &names.platform_admin),
            is_org_admin: is_true(claims, &names.organisation_admin),
            permissions: flat(claims, &names.permissions)
                .map(|list| list.split_ascii_whitespace().map(str::to_owned).collect())
                .unwrap_or_default(),
            request_id: String::new(),
        })
    }

    /// Somebody of an organisation who may do nothing that needs a right.
    pub fn without_rights(user_id: impl Into<String>, org_id: impl Into<String>) -> Self {
        Self {
            user_id: user_id.into(),
            org_id: org_id.into(),
            is_platform_admin: false,
            is_org_admin: false,
            permissions: BTreeSet::new(),
            request_id: String::new(),
        }
    }

    /// What the caller holds where a module requires permissions: a platform admin holds all of them.
    pub fn held_permissions(&self) -> Permissions<'_> {
        if self.is_platform_admin { Permissions::All } else { Permissions::Set(&self.permissions) }
    }

    /// The claims as row-level security reads them (db/schema/002), whatever the provider calls them.
    pub fn database_claims(&self) -> String {
        json!({
            "sub": self.user_id,
            "org_id": self.org_id,
            "is_platform_admin": self.is_platform_admin,
            "is_org_admin": self.is_org_admin,
            "role": "authenticated",
            "request_id": self.request_id,
        })
        .to_string()
    }
}

/// A string claim that is not a flattened array or object.
fn flat<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name)?.as_str().filter(|text| !text.starts_with('[') && !text.starts_with("map["))
}

fn id(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let text = flat(claims, name)?;
    is_id(text).then(|| text.to_owned())
}

/// Whether a text can be the id of a user or an organisation: ids are opaque, and not longer than 200 characters.
pub fn is_id(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_ID_LENGTH && !text.chars().any(char::is_control)
}

fn is_true(claims: &Map<String, Value>, name: &str) -> bool {
    match claims.get(name) {
        Some(Value::Bool(value)) => *value,
        Some(Value::String(text)) => text == "true",
        _ => false,
    }
}

#[cfg(test)]
#[path = "caller_tests.rs"]
mod tests;
