//! API Gateway HTTP API payload 2.0 to an `http::Request` and back.
//!
//! Our own conversion rather than lambda_http's, which panics on invalid base64 and parses the decoded path again, so
//! that `?` or `/../` in it change the route.
//! Source: "Working with AWS Lambda proxy integrations for HTTP APIs" in the API Gateway developer guide.

use std::collections::BTreeMap;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use module_mgmt_protocol::api_gateway::{HttpAnswer, RequestContext};
use module_mgmt_protocol::caller::{Caller, ClaimNames};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::error::{Error, Result};

/// API Gateway refuses more than 10,240 bytes of request line and headers; other ways in are held to a similar limit.
const MAX_HEADER_BYTES: usize = 16 * 1024;
/// What a path segment keeps when it is encoded for the router: the unreserved characters of RFC 3986.
pub(super) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What cannot stand in the query of a URI as it is.
const QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'#')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The parts of a request's event that matter here.
#[derive(Debug)]
pub struct HttpEvent {
    pub(super) raw_path: String,
    pub(super) raw_query_string: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<String>,
    pub(super) is_base64_encoded: bool,
    pub(super) request_context: RequestContext,
}

impl HttpEvent {
    pub fn request_id(&self) -> Option<&str> {
        self.request_context.request_id.as_deref()
    }

    pub fn method(&self) -> &str {
        &self.request_context.http.method
    }

    /// The path without the stage.
    pub fn path(&self) -> &str {
        self.request_context.path(&self.raw_path)
    }

    /// # Errors
    /// [`Error::Malformed`] for a path, header or base64 body that cannot be read, [`Error::TooLarge`] beyond a limit.
    pub fn into_request(self, names: &ClaimNames, body_limit_bytes: usize) -> Result<Request<Body>> {
        let uri = uri(self.path(), &self.raw_query_string)?;
        let method: Method = self.method().parse().map_err(|_| Error::MethodNotAllowed)?;
        let caller = Caller::from_authorizer(&self.request_context.authorizer, names);

        let mut request = Request::new(Body::from(decode(self.body, self.is_base64_encoded, body_limit_bytes)?));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        if self.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MAX_HEADER_BYTES {
            return Err(Error::TooLarge { limit_bytes: MAX_HEADER_BYTES });
        }
        for (name, value) in &self.headers {
            let parsed = name.parse::<HeaderName>().ok().zip(HeaderValue::from_str(value).ok());
            let (name, value) =
                parsed.ok_or_else(|| Error::malformed(format!("the header {name:?} cannot be read")))?;
            request.headers_mut().insert(name, value);
        }
        if let Some(mut caller) = caller {
            caller.request_id = self.request_context.request_id.unwrap_or_default();
            request.extensions_mut().insert(caller);
        }
        Ok(request)
    }
}

fn decode(body: Option<String>, is_base64: bool, limit_bytes: usize) -> Result<Vec<u8>> {
    let body = body.unwrap_or_default();
    let bytes = if is_base64 {
        STANDARD.decode(body).map_err(|error| Error::malformed(format!("the body is not valid base64: {error}")))?
    } else {
        body.into_bytes()
    };
    if bytes.len() > limit_bytes { Err(Error::TooLarge { limit_bytes }) } else { Ok(bytes) }
}

/// The gateway has decoded the path once. A segment is decoded at most once more (local gateways do not decode) and then
/// must be free of everything that some part of the way could read as structure.
fn uri(path: &str, query: &str) -> Result<Uri> {
    let refused = || {
        Error::malformed(
            "the path has a segment that is empty, a dot, or holds one of / \\ ? # % or a control character",
        )
    };
    let rest = path.strip_prefix('/').ok_or_else(refused)?;
    let mut encoded = String::new();
    if rest.is_empty() {
        encoded.push('/');
    }
    for segment in rest.split('/').filter(|_| !rest.is_empty()) {
        let plain = percent_decode_str(segment).decode_utf8().map_err(|_| refused())?;
        let odd = |c: char| c.is_control() || matches!(c, '/' | '\\' | '?' | '#' | '%');
        if plain.is_empty() || plain == "." || plain == ".." || plain.chars().any(odd) {
            return Err(refused());
        }
        encoded.push('/');
        encoded.extend(utf8_percent_encode(&plain, SEGMENT));
    }
    if percent_decode_str(query).any(|byte| byte == 0) {
        return Err(Error::malformed("the query holds the NUL character"));
    }
    if !query.is_empty() {
        encoded.push('?');
        encoded.extend(utf8_percent_encode(query, QUERY));
    }
    encoded.parse().map_err(|_| refused())
}

pub async fn respond(response: Response) -> HttpAnswer {
    let (parts, body) = response.into_parts();
    let mut headers = BTreeMap::<String, String>::new();
    for (name, value) in &parts.headers {
        // The form has one text per header; equal names are joined as RFC 9110 section 5.3 allows.
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(name.to_string()).and_modify(|all| *all = format!("{all}, {value}")).or_insert(value);
    }
    headers.remove(header::CONTENT_LENGTH.as_str());
    // Our bodies are in memory: reading them cannot fail.
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let (body, is_base64_encoded) = match String::from_utf8(bytes.to_vec()) {
        Ok(text) => (text, false),
        Err(binary) => (STANDARD.encode(binary.as_bytes()), true),
    };
    HttpAnswer { status_code: parts.status.as_u16(), headers, body, is_base64_encoded }
}

#[cfg(test)]
#[path = "gateway_tests.rs"]
mod tests;
