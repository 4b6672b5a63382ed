//! One error type for all functions, and its one translation to an HTTP answer.
//!
//! Answers follow RFC 9457 (`application/problem+json`). What a client may know is in the variant; what only the log
//! may know (a database's or AWS's own words) is logged where the answer is made.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use module_mgmt_protocol::field_error::FieldError;
use module_mgmt_protocol::problem::{self, Kind, Problem};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::db;
use crate::json::JsonError;
use crate::schedule::stored::NoSchedule;
use crate::text::cut;

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
    Stale { expected: String, current_etag: String, changed: Vec<String> },
    /// The caller's organisation has sent as much as it may in this minute.
    #[error("your organisation has sent as much as it may in this minute; try again in {retry_after_seconds} s")]
    TooManyRequests { retry_after_seconds: u32 },
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
    SchemaTooOld(String),
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

impl Dependency {
    /// As a problem document names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Lambda => "lambda",
            Self::EventBridge => "eventBridge",
        }
    }
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
    fn kind(&self) -> Kind {
        let (status, code, title) = match self {
            Self::Unauthenticated => return problem::UNAUTHENTICATED,
            Self::Malformed { .. } => (400, "malformed_request", "The request cannot be read"),
            Self::Forbidden => (403, "forbidden", "You may not do this"),
            Self::NotFound => (404, "not_found", "Not found"),
            Self::MethodNotAllowed => (405, "method_not_allowed", "Method not allowed"),
            Self::Conflict { code, .. } => (409, *code, "The current state forbids this"),
            Self::PreconditionRequired => (428, "precondition_required", "Say which version you replace"),
            Self::Stale { .. } => (412, "stale_version", "The resource has changed"),
            Self::TooManyRequests { .. } => (429, "too_many_requests", "Too many requests"),
            Self::TooLarge { .. } => (413, "too_large", "The request is too large"),
            Self::UnsupportedMediaType => (415, "unsupported_media_type", "Send application/json"),
            Self::Invalid(_) => (422, "validation_failed", "The request is not valid"),
            Self::Rejected(_, code) => (422, *code, "The request is not taken"),
            Self::AnswerTooLarge(_) => (413, "answer_too_large", "The answer would be too large"),
            Self::Unavailable { .. } => (503, "unavailable", "Try again later"),
            Self::RefusedByAws(_) => (502, "refused_by_aws", "AWS refused a call"),
            Self::SchemaTooOld(_) => (503, "schema_too_old", "Try again later"),
            Self::Internal(_) => (500, "internal_error", "Something went wrong"),
        };
        Kind { status, code, title }
    }

    /// The part of the error that a client may read, in one sentence.
    pub fn public_detail(&self) -> String {
        self.problem().problem.detail
    }

    fn problem(&self) -> UnfinishedProblem {
        let mut problem = Problem::new(self.kind(), cut(self.to_string(), MAX_DETAIL));
        let mut more = Map::new();
        match self {
            Self::Malformed { errors, .. } if !errors.is_empty() => problem.errors = Some(first_of(errors)),
            Self::Invalid(errors) | Self::Rejected(errors, _) => problem.errors = Some(first_of(errors)),
            Self::Conflict { more: members, .. } => more.clone_from(members),
            Self::Stale { current_etag, changed, .. } => {
                // Where nothing is stored there is no tag.
                problem.current_etag = (!current_etag.is_empty()).then(|| current_etag.clone());
                problem.changed = Some(changed.clone());
            }
            Self::Unavailable { dependency, .. } => {
                // Not "nothing was changed": the answer to a commit may have been lost.
                problem.detail = format!("{dependency} does not answer; the request may be sent again");
                problem.dependency = Some(dependency.as_str().to_owned());
            }
            Self::SchemaTooOld(_) => {
                "the database schema is older than this function; run: mgmt migrate".clone_into(&mut problem.detail);
            }
            Self::Internal(_) => "The fault is logged under the request id".clone_into(&mut problem.detail),
            _ => {}
        }
        let retry_after_seconds = match self {
            Self::TooManyRequests { retry_after_seconds } => Some(*retry_after_seconds),
            Self::Unavailable { .. } | Self::SchemaTooOld(_) => Some(2),
            _ => None,
        };
        UnfinishedProblem { problem, more, retry_after_seconds }
    }
}

/// A problem on its way out; [`super::serve`] says which request it answers and writes the body.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct UnfinishedProblem {
    #[serde(flatten)]
    problem: Problem,
    /// The members that only this kind has.
    #[serde(flatten)]
    more: Map<String, Value>,
    /// For the header.
    #[serde(skip)]
    retry_after_seconds: Option<u32>,
}

impl UnfinishedProblem {
    pub(crate) fn into_response(self, instance: &str, request_id: &str) -> Response {
        let finished = Self { problem: self.problem.answering(instance, request_id), ..self };
        let problem = &finished.problem;
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Texts, and JSON that was made here: they always serialise.
        let body = serde_json::to_string(&finished).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(problem::CONTENT_TYPE));
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 section 15.5.2 wants a challenge with every 401.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = finished.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(etag) = problem.current_etag.as_ref().and_then(|etag| etag.parse().ok()) {
            headers.insert(header::ETAG, etag);
        }
        response
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match &self {
            Self::Internal(_) | Self::SchemaTooOld(_) | Self::RefusedByAws(_) => {
                tracing::error!(error = %self, "request failed");
            }
            Self::Unavailable { .. } => tracing::warn!(error = %self, "a dependency is unavailable"),
            _ => {}
        }
        let mut response = Response::default();
        response.extensions_mut().insert(self.problem());
        response
    }
}

/// The most faults that one answer tells, and the longest sentence and pointer, in characters: what was sent comes back in them.
const MAX_ERRORS: usize = 100;
const MAX_MESSAGE: usize = 300;
const MAX_DETAIL: usize = 1_000;

/// The first faults, cut; where there are more, the last one says how many.
fn first_of(errors: &[FieldError]) -> Vec<FieldError> {
    let shown = if errors.len() > MAX_ERRORS { MAX_ERRORS - 1 } else { errors.len() };
    let short = |error: &FieldError| {
        FieldError::new(cut(error.pointer.clone(), MAX_MESSAGE), cut(error.message.clone(), MAX_MESSAGE))
    };
    let mut first: Vec<FieldError> = errors[..shown].iter().map(short).collect();
    if errors.len() > shown {
        first.push(FieldError::new("", format!("{} more fields are not valid", errors.len() - shown)));
    }
    first
}

fn count(n: usize, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}

impl From<db::Error> for Error {
    fn from(error: db::Error) -> Self {
        match error {
            db::Error::Unavailable(cause) => Self::Unavailable { dependency: Dependency::Database, cause },
            db::Error::Refused(cause) => {
                tracing::error!(error = cause, "the database refused what the handler allowed");
                Self::Forbidden
            }
            db::Error::NumberOutOfRange => Self::malformed(error.to_string()),
            db::Error::TooMany { retry_after_seconds } => Self::TooManyRequests { retry_after_seconds },
            db::Error::NoSuchRow => Self::NotFound,
            db::Error::SchemaTooOld(cause) => Self::SchemaTooOld(cause),
            db::Error::Internal(cause) => Self::Internal(cause),
        }
    }
}

impl From<NoSchedule> for Error {
    fn from(error: NoSchedule) -> Self {
        let code = match error {
            NoSchedule::Missing => "config_missing",
            NoSchedule::Unreadable(_) => "config_unreadable",
        };
        Self::conflict(code, error.to_string())
    }
}

impl From<JsonError> for Error {
    fn from(error: JsonError) -> Self {
        Self::Malformed { detail: error.detail, errors: error.field.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Faults, row 41.
    #[test]
    fn very_many_faults_are_a_hundred_with_their_number() {
        let errors = (0..200).map(|n| FieldError::new(format!("/{n}{}", "p".repeat(9_000)), "m".repeat(9_000)));
        let problem = Error::Invalid(errors.collect()).problem().problem;
        let told = problem.errors.unwrap();
        assert_eq!((told.len(), told[99].message.as_str()), (100, "101 more fields are not valid"));
        assert!(told.iter().all(|error| error.pointer.chars().count() <= 300 && error.message.chars().count() <= 300));
        let exactly = Error::Invalid((0..100).map(|n| FieldError::new(format!("/{n}"), "x")).collect());
        assert_eq!(exactly.problem().problem.errors.unwrap()[99].pointer, "/99");
        assert_eq!(Error::malformed("x".repeat(9_000)).public_detail().chars().count(), 1_000);
    }
}
