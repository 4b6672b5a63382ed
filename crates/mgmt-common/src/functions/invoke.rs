//! One synchronous invoke and everything that can come of it.

use std::time::Duration;

use aws_sdk_lambda::operation::invoke::InvokeError;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{InvocationType, LogType};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::time::timeout;

use super::Functions;
use crate::aws::{AwsError, AwsErrorKind};

/// What is kept of an answer. Lambda allows 6 MB, and many invokes wait for each other.
const MAX_PAYLOAD_BYTES: usize = 16 * 1024;

/// What came of one invoke. Nothing here was retried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvokeOutcome {
    /// The handler returned; its payload is JSON text, cut after 16 KB.
    Answered { payload: Vec<u8> },
    /// The handler ran and failed, or the runtime did (`X-Amz-Function-Error`).
    FunctionError { kind: String, payload: Vec<u8> },
    /// 429: nothing ran. The reason is Lambda's, for example `ReservedFunctionConcurrentInvocationLimitExceeded`.
    Throttled { reason: Option<String> },
    /// No such function or qualifier.
    NotFound { message: String },
    /// The identity may not invoke it.
    Denied { message: String },
    /// Nothing was sent: no connection could be made, or the request could not be built.
    NotSent(AwsError),
    /// Anything else: Lambda failed, the connection broke after sending, the payload was refused.
    Failed(AwsError),
    /// No answer in time. The handler may have run.
    TimedOut,
}

impl Functions {
    /// Invokes a function and waits for its answer (`RequestResponse`, no log tail), once: never retried, because a retry could
    /// run a handler twice.
    ///
    /// `client_context` is JSON text; Lambda wants it in Base64 and limits that to 3,583 bytes (`Invoke`,
    /// `X-Amz-Client-Context`).
    pub async fn invoke(
        &self,
        function: &str,
        qualifier: Option<&str>,
        payload: Vec<u8>,
        client_context: Option<&str>,
        limit: Duration,
    ) -> InvokeOutcome {
        let request = self
            .clients()
            .invoke
            .invoke()
            .function_name(function)
            .set_qualifier(qualifier.map(str::to_owned))
            .invocation_type(InvocationType::RequestResponse)
            .log_type(LogType::None)
            .set_client_context(client_context.map(|context| STANDARD.encode(context)))
            .payload(Blob::new(payload));
        match timeout(limit, request.send()).await {
            Err(_) => InvokeOutcome::TimedOut,
            Ok(Ok(answer)) => {
                let mut payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
                payload.truncate(MAX_PAYLOAD_BYTES);
                payload.shrink_to_fit();
                match answer.function_error {
                    Some(kind) => InvokeOutcome::FunctionError { kind, payload },
                    None => InvokeOutcome::Answered { payload },
                }
            }
            Ok(Err(error)) => {
                let reason = match error.as_service_error() {
                    Some(InvokeError::TooManyRequestsException(answer)) => answer.reason.clone(),
                    _ => None,
                };
                let was_sent = was_sent(&error);
                let error = AwsError::from_sdk("lambda:InvokeFunction", function, &error);
                match error.kind {
                    _ if !was_sent => InvokeOutcome::NotSent(error),
                    AwsErrorKind::Throttled => {
                        InvokeOutcome::Throttled { reason: reason.map(|reason| reason.as_str().to_owned()) }
                    }
                    AwsErrorKind::NotFound => InvokeOutcome::NotFound { message: error.to_string() },
                    AwsErrorKind::Denied => InvokeOutcome::Denied { message: error.to_string() },
                    _ => InvokeOutcome::Failed(error),
                }
            }
        }
    }
}

/// Whether any byte of the request may have left. The SDK tells a refused connection and one that broke later apart only in the
/// causes of its error.
fn was_sent(error: &SdkError<InvokeError, HttpResponse>) -> bool {
    let failure = match error {
        SdkError::ConstructionFailure(_) => return false,
        SdkError::DispatchFailure(failure) => failure.as_connector_error(),
        _ => None,
    };
    let mut cause = failure.and_then(std::error::Error::source);
    while let Some(inner) = cause {
        if inner
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect)
        {
            return false;
        }
        cause = inner.source();
    }
    true
}
