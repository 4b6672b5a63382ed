//! What an invoke can come to, and Lambda's error shape.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// How a function answers an invoke.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A ping of the native protocol holds its instance for `holdMs` and then tells which instance answered; anything else is
    /// counted as handled and answered with `{"handled":true}`.
    Native,
    /// Whatever the payload, the handler runs and answers this.
    Raw(Value),
    /// The handler runs and fails: 200 with `X-Amz-Function-Error: Unhandled` and this payload.
    FunctionError(Value),
    /// 429 `TooManyRequestsException` with this `Reason`; nothing runs.
    Throttled(&'static str),
    /// 404 `ResourceNotFoundException`; nothing runs.
    NotFound,
    /// 403 `AccessDeniedException`; nothing runs.
    AccessDenied,
    /// 500 `ServiceException`; nothing runs.
    ServerError,
    /// The handler runs and no answer ever comes.
    Hang,
    /// The handler runs, and the connection is closed without an answer.
    LostResponse,
}

/// An error as the Lambda API words it: the code in a header and the rest in the body.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) reason: Option<&'static str>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), reason: None }
    }

    pub(crate) fn not_found(function: &str, qualifier: Option<&str>) -> Self {
        let qualifier = qualifier.map(|name| format!(":{name}")).unwrap_or_default();
        let arn = format!("{}{qualifier}", function_arn(function));
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", format!("Function not found: {arn}"))
    }

    pub(crate) fn denied(action: &str, function: &str) -> Self {
        let message = format!(
            "User: arn:aws:sts::123456789012:assumed-role/fake/test is not authorized to perform: {action} on resource: {} \
             because no identity-based policy allows the {action} action",
            function_arn(function)
        );
        Self::new(StatusCode::FORBIDDEN, "AccessDeniedException", message)
    }

    pub(crate) fn throttled(reason: &'static str) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", "Rate Exceeded.");
        Self { reason: Some(reason), ..error }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({"Type": "User", "Message": self.message});
        if let Some(reason) = self.reason {
            body["Reason"] = json!(reason);
        }
        (self.status, [("x-amzn-errortype", self.code), ("content-type", "application/json")], body.to_string())
            .into_response()
    }
}

pub(crate) fn function_arn(function: &str) -> String {
    format!("arn:aws:lambda:eu-central-1:123456789012:function:{function}")
}
