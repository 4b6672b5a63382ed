//! A function that records its uses in the usage queue, with its own SQS client.
//! Settings: `MODULE_NAME` and `MODULE_MGMT_URL` as in the README, `USAGE_QUEUE_URL`, and what Lambda sets about AWS.

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use module_mgmt_host::settings::HostSettings;
use module_mgmt_host::usage::{QueueSink, UsageLayer, UsageRecorder};
use module_mgmt_host::warm::{Instance, WarmLayer};
use serde_json::{Value, json};
use tower::Layer as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let instance = Instance::start();
    let settings = HostSettings::from_environment()?;
    let queue_url = variable("USAGE_QUEUE_URL")?;
    let sqs = client()?;
    let sink = QueueSink::new(move |body| {
        let sending = sqs.send_message().queue_url(&queue_url).message_body(body).send();
        async move { sending.await.map(drop) }
    });
    let recorder = UsageRecorder::for_module(settings.module, sink);
    let recorded = UsageLayer::new(recorder).layer(service_fn(handle));
    Runtime::new(WarmLayer::new(instance).layer(recorded)).run().await
}

async fn handle(_: LambdaEvent<Value>) -> Result<Value, Error> {
    Ok(json!({"statusCode": 204}))
}

/// A host usually has a client already, from `aws-config`.
fn client() -> Result<aws_sdk_sqs::Client, Error> {
    let (key, secret) = (variable("AWS_ACCESS_KEY_ID")?, variable("AWS_SECRET_ACCESS_KEY")?);
    let token = variable("AWS_SESSION_TOKEN").ok();
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(variable("AWS_REGION")?))
        .credentials_provider(Credentials::new(key, secret, token, None, "environment"))
        .http_client(
            aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https(),
        );
    Ok(aws_sdk_sqs::Client::from_conf(config.build()))
}

#[expect(clippy::disallowed_methods, reason = "an example reads its own variables")]
fn variable(name: &str) -> Result<String, Error> {
    std::env::var(name).map_err(|_| format!("{name} is missing").into())
}
