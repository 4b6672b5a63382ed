//! One shape for everything an AWS call can answer instead of a result.

use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::web::error::{Dependency, Error};

/// A failed call: which one, on what, and why. Its text is for operators and names action and resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError {
    /// IAM's name of the action, for example `events:PutRule`.
    pub action: &'static str,
    /// The rule, function or prefix that the call was about; empty when it was about the account.
    pub resource: String,
    pub kind: AwsErrorKind,
    /// AWS's error code, for example `ThrottlingException`; `None` when no answer came.
    pub code: Option<String>,
    /// AWS's own message, or what went wrong on the way.
    pub message: String,
}

/// What a caller can do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AwsErrorKind {
    /// Too many calls: wait and retry.
    Throttled,
    /// Somebody else is changing the same thing: wait and retry.
    Conflict,
    /// AWS failed (5xx): retry. The change may have been applied.
    Server,
    /// No answer in time, or the connection broke: retry. The change may have been applied.
    Unreachable,
    /// The identity may not do this: retrying is useless until somebody changes its policy.
    Denied,
    /// A quota is used up: retrying is useless until somebody makes room.
    LimitExceeded,
    /// The resource does not exist.
    NotFound,
    /// AWS refused the request as such, or accepted it and failed one of its entries.
    Refused,
    /// The time that the caller gave was over before the call could start.
    DeadlinePassed,
}

impl AwsErrorKind {
    /// Whether the same call may succeed when it is repeated soon.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Conflict | Self::Server | Self::Unreachable)
    }
}

impl AwsError {
    /// Sorts an SDK error by what AWS answered.
    pub fn from_sdk<E>(action: &'static str, resource: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let (kind, code, message) = match error {
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                let code = answer.err().code();
                let message = answer.err().message().unwrap_or("AWS gave no message").to_owned();
                (kind_of(code, status), code.map(str::to_owned), message)
            }
            SdkError::TimeoutError(_) => (AwsErrorKind::Unreachable, None, "no answer in time".to_owned()),
            SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
                (AwsErrorKind::Unreachable, None, with_causes(error))
            }
            _ => (AwsErrorKind::Refused, None, with_causes(error)),
        };
        Self { action, resource: resource.to_owned(), kind, code, message }
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action)?;
        if !self.resource.is_empty() {
            write!(f, " on {}", self.resource)?;
        }
        match &self.code {
            Some(code) => write!(f, " failed with {code}: {}", self.message),
            None => write!(f, " failed: {}", self.message),
        }
    }
}

impl std::error::Error for AwsError {}

/// Codes as the API references of EventBridge and Lambda list them under "Errors" and "Common errors".
fn kind_of(code: Option<&str>, status: u16) -> AwsErrorKind {
    match code.unwrap_or_default() {
        "ThrottlingException" | "Throttling" | "TooManyRequestsException" | "RequestLimitExceeded" => {
            AwsErrorKind::Throttled
        }
        "ConcurrentModificationException" | "ResourceConflictException" => AwsErrorKind::Conflict,
        "AccessDeniedException" | "AccessDenied" | "UnrecognizedClientException" | "ExpiredTokenException" => {
            AwsErrorKind::Denied
        }
        "LimitExceededException" => AwsErrorKind::LimitExceeded,
        "ResourceNotFoundException" => AwsErrorKind::NotFound,
        _ if status == 429 => AwsErrorKind::Throttled,
        _ if status >= 500 => AwsErrorKind::Server,
        _ => AwsErrorKind::Refused,
    }
}

/// The SDK's outermost message says only "dispatch failure"; the causes say which address refused what.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// An AWS failure that leaves nothing to answer with. Which service it was, the action's prefix says.
impl From<AwsError> for Error {
    fn from(error: AwsError) -> Self {
        let is_passing = error.kind.is_transient() || error.kind == AwsErrorKind::DeadlinePassed;
        if !is_passing {
            return Self::RefusedByAws(error.to_string());
        }
        let dependency = if error.action.starts_with("lambda:") { Dependency::Lambda } else { Dependency::EventBridge };
        Self::Unavailable { dependency, cause: error.to_string() }
    }
}
