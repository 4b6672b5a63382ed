//! Lists, measures and invokes Lambda functions. The only user of `aws-sdk-lambda`.

mod invoke;
mod summary;

use std::sync::OnceLock;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::Builder;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

pub use invoke::InvokeOutcome;
pub use summary::FunctionSummary;

use crate::aws::{AwsError, AwsSettings, CallLimits, sdk_config};

/// Talks to the Lambda API of one Region. Both SDK clients are built with the first call and share one connection pool, which
/// carries hundreds of simultaneous invokes.
#[derive(Debug)]
pub struct Functions {
    aws: AwsSettings,
    limits: CallLimits,
    clients: OnceLock<Clients>,
}

#[derive(Debug)]
struct Clients {
    /// For everything that only reads: retries as `limits` say.
    read: Client,
    /// For invokes: never retries, because a retry could run a handler twice, and has no time limit of its own.
    invoke: Client,
}

/// How many functions may run at once in this account and Region (`GetAccountSettings`, `AccountLimit`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountConcurrency {
    pub total: i32,
    /// What is left for functions without reserved concurrency of their own.
    pub unreserved: i32,
}

impl Functions {
    pub fn new(aws: AwsSettings, limits: CallLimits) -> Self {
        Self { aws, limits, clients: OnceLock::new() }
    }

    /// Every function whose name begins with the prefix, sorted by name. Lambda cannot filter, so all pages are read.
    ///
    /// # Errors
    /// `lambda:ListFunctions` failed for good on one of the pages; a partial list is never given.
    pub async fn list(&self, prefix: &str) -> Result<Vec<FunctionSummary>, AwsError> {
        let mut functions = Vec::new();
        let mut marker = None;
        loop {
            let page = self
                .clients()
                .read
                .list_functions()
                .max_items(50)
                .set_marker(marker)
                .send()
                .await
                .map_err(|error| AwsError::from_sdk("lambda:ListFunctions", "", &error))?;
            let matching = page.functions.unwrap_or_default().into_iter().map(FunctionSummary::from);
            functions.extend(matching.filter(|function| function.name.starts_with(prefix)));
            marker = page.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                break;
            }
        }
        functions.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(functions)
    }

    /// The instances reserved for this function; `None` when it shares the account's unreserved ones.
    ///
    /// # Errors
    /// `lambda:GetFunctionConcurrency` failed for good, also because there is no such function.
    pub async fn reserved_concurrency(&self, function: &str) -> Result<Option<i32>, AwsError> {
        let request = self.clients().read.get_function_concurrency().function_name(function);
        match request.send().await {
            Ok(answer) => Ok(answer.reserved_concurrent_executions),
            Err(error) => Err(AwsError::from_sdk("lambda:GetFunctionConcurrency", function, &error)),
        }
    }

    /// # Errors
    /// `lambda:GetAccountSettings` failed for good.
    pub async fn account_concurrency(&self) -> Result<AccountConcurrency, AwsError> {
        let answer = self
            .clients()
            .read
            .get_account_settings()
            .send()
            .await
            .map_err(|error| AwsError::from_sdk("lambda:GetAccountSettings", "", &error))?;
        let limit = answer.account_limit;
        Ok(AccountConcurrency {
            total: limit.as_ref().map_or(0, |limit| limit.concurrent_executions),
            unreserved: limit.and_then(|limit| limit.unreserved_concurrent_executions).unwrap_or(0),
        })
    }

    /// The hash of the code behind a qualifier: it changes with each deployment. Base64 of SHA-256, as Lambda gives it.
    ///
    /// # Errors
    /// `lambda:GetFunctionConfiguration` failed for good, also because there is no such function or qualifier.
    pub async fn code_sha256(&self, function: &str, qualifier: Option<&str>) -> Result<Option<String>, AwsError> {
        let request = self.clients().read.get_function_configuration().function_name(function);
        match request.set_qualifier(qualifier.map(str::to_owned)).send().await {
            Ok(answer) => Ok(answer.code_sha256),
            Err(error) => Err(AwsError::from_sdk("lambda:GetFunctionConfiguration", function, &error)),
        }
    }

    fn clients(&self) -> &Clients {
        self.clients.get_or_init(|| {
            let shared = sdk_config(&self.aws, &self.limits);
            let patient = TimeoutConfig::builder()
                .connect_timeout(self.limits.connect_timeout)
                .disable_operation_timeout()
                .disable_operation_attempt_timeout()
                .build();
            let invoke = Builder::from(&shared).retry_config(RetryConfig::disabled()).timeout_config(patient).build();
            Clients { read: Client::new(&shared), invoke: Client::from_conf(invoke) }
        })
    }
}
