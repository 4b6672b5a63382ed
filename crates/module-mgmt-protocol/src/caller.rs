//! Who asks: read from what API Gateway's authorizer says, and from nothing else.
//!
//! HTTP API payload 2.0 puts a Lambda authorizer's context, typed, under `requestContext.authorizer.lambda`, and a JWT
//! authorizer's claims, all as strings, under `.jwt.claims`; there an array becomes `[a b]` and an object `map[k:v]`.
//! Authority comes from flat scalars only, so such a flattened claim grants nothing.

mod authorizer;
mod claim_names;

use std::collections::BTreeSet;

pub use authorizer::Authorizer;
pub use claim_names::ClaimNames;

use crate::decision::Permissions;
use authorizer::Claims;

/// Longest user or organisation id, in characters.
const MAX_ID_LENGTH: usize = 200;

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
    pub fn from_authorizer(authorizer: &Authorizer, names: &ClaimNames) -> Option<Self> {
        let claims = authorizer.claims()?;
        if claims.is_true("is_anonymous") || matches!(claims.text("role"), Some("anon" | "service_role")) {
            return None;
        }
        Some(Self {
            user_id: id(claims, &names.user)?,
            org_id: id(claims, &names.organisation)?,
            is_platform_admin: claims.is_true(&names.platform_admin),
            is_org_admin: claims.is_true(&names.organisation_admin),
            permissions: claims
                .text(&names.permissions)
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
}

fn id(claims: &Claims, name: &str) -> Option<String> {
    let text = claims.text(name)?;
    is_id(text).then(|| text.to_owned())
}

/// Whether a text can be the id of a user or an organisation: ids are opaque, and not longer than 200 characters.
pub fn is_id(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_ID_LENGTH && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests;
