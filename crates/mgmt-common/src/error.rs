//! One error type for all functions, and its one translation to an HTTP answer.
//!
//! Answers follow RFC 9457 (`application/problem+json`). What a client may know is in the variant; what only the log
//! may know (a database's or AWS's own words) is logged where the answer is made.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::field_error::FieldError;
use crate::problem;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong with a request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be read at all: bad JSON, unknown fields, a strange path.
    #[error("{detail}")]
    Malformed { detail: String, errors: Vec<FieldError> },
    #[error("{}", problem::UNAUTHENTICATED_DETAIL)]
    Unauthenticated,
    #[error("the caller may not do this")]
    Forbidden,
    #[error("there is no such thing, or the caller may not see it")]
    NotFound,
    #[error("this path does not know the method")]
    MethodNotAllowed,
    /// A rule of the domain forbids the change now; `code` is stable, for programs, and `more` joins the problem's members.
    #[error("{detail}")]
    Conflict { code: &'static str, detail: String, more: Map<String, Value> },
    /// The write must say by If-Match which version it replaces.
    #[error("send If-Match with the ETag of what you read, so that nobody's change is lost")]
    PreconditionRequired,
    /// If-Match names a version that is not the current one.
    #[error("the resource has changed since version {expected}")]
    Stale { expected: String, current_etag: String, changed: Value },
    #[error("the request is larger than {limit_bytes} bytes")]
    TooLarge { limit_bytes: usize },
    #[error("the body must be sent as application/json")]
    UnsupportedMediaType,
    /// The request can be read, but its values are not valid.
    #[error("{} of the request are not valid", count(.0.len(), "field"))]
    Invalid(Vec<FieldError>),
    /// The request can be read, but what it brings is not taken, for a reason with a stable code.
    #[error("it is not taken: {}", .0.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("; "))]
    Rejected(Vec<FieldError>, &'static str),
    /// What was asked for does not fit into one answer; the text says what to ask for instead.
    #[error("it does not fit into one answer; {0}")]
    AnswerTooLarge(&'static str),
    /// Something this function needs does not answer; trying again later is safe.
    #[error("{dependency} is unavailable: {cause}")]
    Unavailable { dependency: Dependency, cause: String },
    /// AWS refused a call as such: another try is useless until somebody changes a policy, a quota or the settings.
    #[error("{0}")]
    RefusedByAws(String),
    /// The database lacks objects that this build needs.
    #[error("the database schema is older than this function; run mgmt migrate: {0}")]
    SchemaOutdated(String),
    /// A fault of our own; the client learns nothing about it.
    #[error("internal error: {0}")]
    Internal(String),
}

/// What a function depends on, named in 503 answers and by the health route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Dependency {
    Database,
    Lambda,
    EventBridge,
}

impl std::fmt::Display for Dependency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Database => "the database",
            Self::Lambda => "AWS Lambda",
            Self::EventBridge => "Amazon EventBridge",
        })
    }
}

impl Error {
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::Malformed { detail: detail.into(), errors: Vec::new() }
    }

    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict { code, detail: detail.into(), more: Map::new() }
    }

    pub fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, message)])
    }

    /// Status, stable code and title of the answer.
    fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Malformed { .. } => (StatusCode::BAD_REQUEST, "malformed_request", "The request cannot be read"),
            Self::Unauthenticated => {
                (StatusCode::UNAUTHORIZED, problem::UNAUTHENTICATED.code, problem::UNAUTHENTICATED.title)
            }
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "You may not do this"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "Not found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed"),
            Self::Conflict { code, .. } => (StatusCode::CONFLICT, code, "The current state forbids this"),
            Self::PreconditionRequired => {
                (StatusCode::PRECONDITION_REQUIRED, "precondition_required", "Say which version you replace")
            }
            Self::Stale { .. } => (StatusCode::PRECONDITION_FAILED, "stale_version", "The resource has changed"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The request is too large"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Send application/json")
            }
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", "The request is not valid"),
            Self::Rejected(_, code) => (StatusCode::UNPROCESSABLE_ENTITY, code, "The request is not taken"),
            Self::AnswerTooLarge(_) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "answer_too_large", "The answer would be too large")
            }
            Self::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Try again later"),
            Self::RefusedByAws(_) => (StatusCode::BAD_GATEWAY, "refused_by_aws", "AWS refused a call"),
            Self::SchemaOutdated(_) => (StatusCode::SERVICE_UNAVAILABLE, "schema_outdated", "Try again later"),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Something went wrong"),
        }
    }

    /// The part of the error that a client may read, in one sentence.
    pub fn public_detail(&self) -> String {
        self.problem().detail
    }

    fn problem(&self) -> Problem {
        let (status, code, title) = self.kind();
        let mut problem = Problem { status, code, title, detail: self.to_string(), more: Map::new() };
        match self {
            Self::Malformed { errors, .. } if !errors.is_empty() => problem.add("errors", errors),
            Self::Invalid(errors) | Self::Rejected(errors, _) => problem.add("errors", errors),
            Self::Conflict { more, .. } => problem.more.extend(more.clone()),
            Self::Stale { current_etag, changed, .. } => {
                // Where nothing is stored there is no tag.
                problem.add("currentEtag", (!current_etag.is_empty()).then_some(current_etag));
                problem.add("changed", changed);
            }
            Self::Unavailable { dependency, .. } => {
                // Not "nothing was changed": the answer to a commit may have been lost.
                problem.detail = format!("{dependency} does not answer; the request may be sent again");
                problem.add("dependency", dependency);
            }
            Self::SchemaOutdated(_) => "The service is being upgraded".clone_into(&mut problem.detail),
            Self::Internal(_) => "The fault is logged under the request id".clone_into(&mut problem.detail),
            _ => {}
        }
        problem
    }
}

/// A problem on its way out; [`crate::serve`] adds instance and request id and writes the body.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    more: Map<String, Value>,
}

impl Problem {
    fn add(&mut self, key: &str, value: impl Serialize) {
        // The values are strings, enums and lists of them: they always serialise.
        self.more.insert(key.to_owned(), serde_json::to_value(value).unwrap_or_default());
    }

    pub(crate) fn into_response(self, instance: &str, request_id: &str) -> Response {
        let body = problem::document(
            &problem::Kind { status: self.status.as_u16(), code: self.code, title: self.title },
            &self.detail,
            instance,
            request_id,
            &self.more,
        );
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(problem::CONTENT_TYPE));
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110 section 15.5.2 wants a challenge with every 401.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        if let Some(etag) = self.more.get("currentEtag").and_then(Value::as_str).and_then(|etag| etag.parse().ok()) {
            headers.insert(header::ETAG, etag);
        }
        response
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match &self {
            Self::Internal(_) | Self::SchemaOutdated(_) | Self::RefusedByAws(_) => {
                tracing::error!(error = %self, "request failed");
            }
            Self::Unavailable { .. } => tracing::warn!(error = %self, "a dependency is unavailable"),
            _ => {}
        }
        let problem = self.problem();
        let mut response = problem.status.into_response();
        response.extensions_mut().insert(problem);
        response
    }
}

fn count(n: usize, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}

/// An AWS failure that leaves nothing to answer with. Which service it was, the action's prefix says.
#[cfg(feature = "aws")]
impl From<crate::aws::AwsError> for Error {
    fn from(error: crate::aws::AwsError) -> Self {
        let is_passing = error.kind.is_transient() || error.kind == crate::aws::AwsErrorKind::DeadlinePassed;
        if !is_passing {
            return Self::RefusedByAws(error.to_string());
        }
        let dependency = if error.action.starts_with("lambda:") { Dependency::Lambda } else { Dependency::EventBridge };
        Self::Unavailable { dependency, cause: error.to_string() }
    }
}
