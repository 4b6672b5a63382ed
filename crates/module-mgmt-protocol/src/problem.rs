//! The problem document (RFC 9457) that the control plane's functions and the gates of hosts answer alike.

use serde::{Deserialize, Serialize};

use crate::field_error::FieldError;

/// The media type of a problem document.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// What all problems of one kind have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The HTTP status.
    pub status: u16,
    /// Stable, for programs.
    pub code: &'static str,
    pub title: &'static str,
}

/// Nobody is signed in.
pub const UNAUTHENTICATED: Kind = Kind { status: 401, code: "unauthenticated", title: "Sign in first" };
/// What a problem of the kind [`UNAUTHENTICATED`] says.
pub const UNAUTHENTICATED_DETAIL: &str = "the caller is not known";
/// A gate is closed.
pub const MODULE_DISABLED: Kind = Kind { status: 503, code: "module_disabled", title: "The module is not available" };

/// What every error answers. Some kinds add members of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A URN that ends in the code.
    pub r#type: String,
    pub title: String,
    pub status: u16,
    /// One sentence for a person.
    pub detail: String,
    /// The path of the request.
    pub instance: String,
    /// Stable, for programs.
    pub code: String,
    pub request_id: String,
    /// Of validation: each fault with its JSON pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<FieldError>>,
    /// Of 412: the entity tag to read again and merge with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_etag: Option<String>,
    /// Of 412: pointers to the fields in which the request differs from what is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Vec<String>>,
    /// Of 503 `unavailable`: what does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependency: Option<String>,
    /// Of 503 `module_disabled`: the module that is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Of 503 `module_disabled`: why it is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Problem {
    /// A problem that does not yet say which request it answers.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            r#type: format!("urn:module-mgmt:problem:{}", kind.code.replace('_', "-")),
            title: kind.title.to_owned(),
            status: kind.status,
            detail: detail.into(),
            instance: String::new(),
            code: kind.code.to_owned(),
            request_id: String::new(),
            errors: None,
            current_etag: None,
            changed: None,
            dependency: None,
            module: None,
            reason: None,
        }
    }

    /// Says which request is answered, by its path and id.
    #[must_use]
    pub fn answering(self, instance: &str, request_id: &str) -> Self {
        Self { instance: instance.to_owned(), request_id: request_id.to_owned(), ..self }
    }
}
