//! The few AWS calls that deploy the local platform, over the same HTTP APIs as in the cloud.

use anyhow::{Context as _, Result, bail};
use axum::body::Body;
use axum::http::{Method, Request, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::http::Http;

const REGION: &str = "us-east-1";
/// Where the packages of functions lie.
const BUCKET: &str = "module-mgmt-local-packages";
/// The role that a function runs as; MiniStack only stores it.
const ROLE: &str = "arn:aws:iam::000000000000:role/module-mgmt-local";

#[derive(Debug, Clone)]
pub(crate) struct Aws {
    http: Http,
    /// MiniStack's address; also what the functions call.
    pub(crate) endpoint: String,
}

/// A function to create.
#[derive(Debug)]
pub(crate) struct NewFunction<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: &'a str,
    /// The key of an uploaded package.
    pub(crate) package: &'a str,
    pub(crate) runtime: Runtime,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) timeout_seconds: u32,
}

/// What runs a package.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Runtime {
    /// The executable itself.
    Executable,
    /// Python, with the function `handler` of `handler.py`. MiniStack runs it with the Python that it runs in itself.
    Python,
}

impl Runtime {
    /// Lambda's identifier of the runtime, and where the package begins.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Executable => ("provided.al2023", "bootstrap"),
            Self::Python => ("python3.12", "handler.handler"),
        }
    }
}

impl Aws {
    pub(crate) fn new(http: Http, endpoint: String) -> Self {
        Self { http, endpoint }
    }

    pub(crate) async fn create_bucket(&self) -> Result<()> {
        self.put("", Vec::new()).await
    }

    /// Uploads a function's package: a request to Lambda itself takes 50 MB at most, and unoptimised programs are larger.
    pub(crate) async fn upload_package(&self, key: &str, package: Vec<u8>) -> Result<()> {
        self.put(&format!("/{key}"), package).await
    }

    async fn put(&self, path: &str, content: Vec<u8>) -> Result<()> {
        let request = Request::put(format!("{}/{BUCKET}{path}", self.endpoint))
            .header(header::AUTHORIZATION, authorization("s3"))
            .body(Body::from(content))?;
        self.http.exchange(request).await?.success(&format!("S3 put {BUCKET}{path}")).map(drop)
    }

    /// Creates the function and answers its ARN.
    pub(crate) async fn create_function(&self, function: &NewFunction<'_>) -> Result<String> {
        let variables: serde_json::Map<String, Value> =
            function.environment.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let (runtime, handler) = function.runtime.names();
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        let body = json!({
            "FunctionName": function.name,
            "Description": function.description,
            "Runtime": runtime,
            "Handler": handler,
            "Architectures": [architecture],
            "Role": ROLE,
            "MemorySize": 256,
            "Timeout": function.timeout_seconds,
            "Environment": { "Variables": variables },
            "Code": { "S3Bucket": BUCKET, "S3Key": function.package },
        });
        let answer = self.rest("lambda", Method::POST, "/2015-03-31/functions", &body).await?;
        text(&answer, "FunctionArn")
    }

    /// A tick that failed is not tried again, as the next one comes anyway; it goes to the queue.
    pub(crate) async fn never_retry(&self, function: &str, dead_letter_arn: &str) -> Result<()> {
        let path = format!("/2019-09-25/functions/{function}/event-invoke-config");
        let body = json!({
            "MaximumRetryAttempts": 0,
            "MaximumEventAgeInSeconds": 60,
            "DestinationConfig": { "OnFailure": { "Destination": dead_letter_arn } },
        });
        self.rest("lambda", Method::PUT, &path, &body).await.map(drop)
    }

    /// A rule of the default bus that invokes one function.
    pub(crate) async fn put_rule(&self, name: &str, expression: &str, function_arn: &str) -> Result<()> {
        let rule = json!({ "Name": name, "ScheduleExpression": expression, "State": "ENABLED" });
        self.action("events", "AWSEvents.PutRule", &rule).await?;
        let targets = json!({ "Rule": name, "Targets": [{ "Id": "function", "Arn": function_arn }] });
        let answer = self.action("events", "AWSEvents.PutTargets", &targets).await?;
        anyhow::ensure!(answer["FailedEntryCount"] == 0, "the target of {name} was refused: {answer}");
        Ok(())
    }

    /// The names of the enabled rules whose names begin with `prefix`, counted on the bus itself.
    pub(crate) async fn enabled_rules(&self, prefix: &str) -> Result<Vec<String>> {
        // A page holds 100 rules and a schedule has at most 20.
        let answer = self.action("events", "AWSEvents.ListRules", &json!({ "NamePrefix": prefix })).await?;
        let rules = answer["Rules"].as_array().context("ListRules answered no list")?;
        Ok(rules
            .iter()
            .filter(|rule| rule["State"] == "ENABLED")
            .filter_map(|rule| Some(rule["Name"].as_str()?.to_owned()))
            .collect())
    }

    /// What a function has logged, line by line; empty while it never ran.
    pub(crate) async fn logged(&self, function: &str) -> Result<Vec<String>> {
        let question = json!({ "logGroupName": format!("/aws/lambda/{function}"), "limit": 10_000 });
        let Ok(answer) = self.action("logs", "Logs_20140328.FilterLogEvents", &question).await else {
            return Ok(Vec::new());
        };
        let events = answer["events"].as_array().context("FilterLogEvents answered no list")?;
        Ok(events.iter().filter_map(|event| Some(event["message"].as_str()?.trim_end().to_owned())).collect())
    }

    /// Hands a function a scheduled event now, as its rule would at its next time.
    pub(crate) async fn tick(&self, function: &str) -> Result<()> {
        let event = json!({
            "version": "0", "id": "00000000-0000-0000-0000-000000000000", "account": "000000000000", "region": REGION,
            "source": "aws.events", "detail-type": "Scheduled Event", "time": Timestamp::now().to_string(),
            "resources": [], "detail": {},
        });
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let answer = self.rest("lambda", Method::POST, &path, &event).await?;
        match answer["errorMessage"].as_str() {
            Some(message) => bail!("{function} failed: {message}"),
            None => Ok(()),
        }
    }

    /// A call of a REST API such as Lambda's or API Gateway's.
    pub(crate) async fn rest(&self, service: &str, method: Method, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}{path}", self.endpoint);
        let headers = [("authorization", authorization(service))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        self.http.send(method, &url, &headers, Some(body)).await?.success(path)
    }

    /// A call of an API that names its actions in a header, such as EventBridge's or SQS's.
    pub(super) async fn action(&self, service: &str, target: &str, body: &Value) -> Result<Value> {
        let authorization = authorization(service);
        let headers = [
            ("authorization", authorization.as_str()),
            ("x-amz-target", target),
            ("content-type", "application/x-amz-json-1.0"),
        ];
        let url = format!("{}/", self.endpoint);
        self.http.send(Method::POST, &url, &headers, Some(body)).await?.success(target)
    }
}

/// MiniStack checks no signature; it reads service and region from the credential's scope.
fn authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=none"
    )
}

pub(crate) fn text(value: &Value, field: &str) -> Result<String> {
    Ok(value[field].as_str().with_context(|| format!("there is no {field} in {value}"))?.to_owned())
}
