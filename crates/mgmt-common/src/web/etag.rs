//! Row versions as entity tags: `"7"` is version 7 (RFC 9110 section 8.8.3).

use std::fmt;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::Digest as _;

use super::error::{Error, Result};

/// The entity tag of a row version.
pub fn of(version: i64) -> String {
    format!("\"{version}\"")
}

/// The entity tag of an answer that no single row stands for: equal bytes, equal tag.
pub fn of_content(body: &[u8]) -> String {
    use base64::Engine as _;
    let digest = sha2::Sha256::digest(body);
    format!("\"{}\"", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&digest[..18]))
}

/// What an If-Match header asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    Absent,
    /// `*`: the resource must exist.
    Any,
    OneOf(Vec<String>),
}

impl fmt::Display for IfMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("none"),
            Self::Any => f.write_str("*"),
            Self::OneOf(tags) => f.write_str(&tags.join(", ")),
        }
    }
}

impl IfMatch {
    /// Reads the header.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is not a list of entity tags. A weak tag is one that never matches.
    pub fn read(headers: &HeaderMap) -> Result<Self> {
        let Some(value) = headers.get(header::IF_MATCH) else { return Ok(Self::Absent) };
        let text = value.to_str().map_err(|_| Error::malformed("If-Match is not printable text"))?.trim();
        if text == "*" {
            return Ok(Self::Any);
        }
        let tags: Vec<String> = text.split(',').map(|tag| tag.trim().to_owned()).collect();
        let quoted = |tag: &String| {
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            tag.len() >= 2 && tag.starts_with('"') && tag.ends_with('"')
        };
        if !tags.iter().all(quoted) {
            return Err(Error::malformed("If-Match must be * or entity tags in double quotes, such as \"7\""));
        }
        Ok(Self::OneOf(tags))
    }

    /// Whether a write may replace this version; `None` means that nothing is stored yet.
    pub fn allows(&self, current: Option<i64>) -> bool {
        match (self, current) {
            (Self::Absent, _) | (Self::Any, Some(_)) => true,
            (Self::Any | Self::OneOf(_), None) => false,
            (Self::OneOf(tags), Some(version)) => tags.contains(&of(version)),
        }
    }
}

/// The tags of an If-None-Match header without their quotes; empty when there is none.
pub fn known(headers: &HeaderMap) -> Vec<&str> {
    let sent = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let tags = sent.split(',').map(str::trim).map(|tag| tag.strip_prefix("W/").unwrap_or(tag));
    tags.filter_map(|tag| tag.strip_prefix('"')?.strip_suffix('"')).collect()
}

/// A JSON answer under the tag of its own bytes.
///
/// # Errors
/// [`Error::Internal`] when the value cannot be written as JSON.
pub fn cacheable_json(headers: &HeaderMap, answer: &impl Serialize) -> Result<Response> {
    let body = serde_json::to_vec(answer).map_err(|error| Error::Internal(error.to_string()))?;
    let tag = of_content(&body);
    Ok(cacheable(headers, &tag, ([(header::CONTENT_TYPE, "application/json")], body)))
}

/// Answers 304 without a body when the client already has this version, else the body; both carry the tag.
pub fn cacheable(headers: &HeaderMap, etag: &str, body: impl IntoResponse) -> Response {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|sent| {
        sent.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    });
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { body.into_response() };
    if let Ok(value) = HeaderValue::from_str(etag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}
