//! The problem document (RFC 9457) that the functions and the gates of a platform's own functions answer alike.

use serde_json::{Map, Value};

pub(crate) const CONTENT_TYPE: &str = "application/problem+json";

/// What all problems of one kind have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) status: u16,
    /// Stable, for programs.
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
}

pub(crate) const UNAUTHENTICATED: Kind = Kind { status: 401, code: "unauthenticated", title: "Sign in first" };
pub(crate) const UNAUTHENTICATED_DETAIL: &str = "the caller is not known";

/// The body; `more` are the members that only this kind has.
pub(crate) fn document(
    kind: &Kind,
    detail: &str,
    instance: &str,
    request_id: &str,
    more: &Map<String, Value>,
) -> String {
    let mut body = Map::new();
    body.insert("type".into(), format!("urn:module-mgmt:problem:{}", kind.code.replace('_', "-")).into());
    body.insert("title".into(), kind.title.into());
    body.insert("status".into(), kind.status.into());
    body.insert("detail".into(), detail.into());
    body.insert("instance".into(), instance.into());
    body.insert("code".into(), kind.code.into());
    body.insert("requestId".into(), request_id.into());
    body.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
    Value::Object(body).to_string()
}
