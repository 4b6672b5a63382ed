//! Request bodies as arguments of handlers.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use super::error::{Error, Result};
use crate::json;

/// A JSON request body: an object of type `T`.
///
/// # Errors
/// 415 without a JSON content type; 400 for bad UTF-8, bad JSON, nesting beyond 128, duplicate keys, NUL characters,
/// numbers out of range, unknown fields and wrong types, each with its position or pointer.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        if !is_json(request.headers()) {
            return Err(Error::UnsupportedMediaType);
        }
        Ok(Self(json::parse(&bytes(request).await?)?))
    }
}

/// A body that a handler took as bytes, because it may be absent; [`Json`] otherwise.
///
/// # Errors
/// As [`Json`].
pub fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T> {
    if is_json(headers) { Ok(json::parse(body)?) } else { Err(Error::UnsupportedMediaType) }
}

/// A JSON request body as its text, for handlers that read its parts one by one.
///
/// # Errors
/// 415 without a JSON content type; 400 for bad UTF-8.
#[derive(Debug)]
pub struct JsonText(pub String);

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        if !is_json(request.headers()) {
            return Err(Error::UnsupportedMediaType);
        }
        let text = String::from_utf8(bytes(request).await?.into());
        let not_text = |error: std::string::FromUtf8Error| json::not_utf8(error.utf8_error());
        Ok(Self(text.map_err(not_text)?))
    }
}

async fn bytes(request: Request) -> Result<Bytes> {
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await;
    body.map_err(|error| Error::malformed(format!("the body cannot be read: {error}")))
}

fn is_json(headers: &HeaderMap) -> bool {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}
