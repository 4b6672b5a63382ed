//! Records to the usage queue. The only user of `aws-sdk-sqs`.

use std::sync::OnceLock;
use std::time::Duration;

use aws_sdk_sqs::Client;

use super::{BoxFuture, UsageMessage, UsageSink};
use crate::aws::{AwsError, AwsSettings, CallLimits, sdk_config};

/// Sends each record as one message. The client is built with the first one.
#[derive(Debug)]
pub struct QueueSink {
    aws: AwsSettings,
    queue_url: String,
    client: OnceLock<Client>,
}

impl QueueSink {
    pub fn new(aws: AwsSettings, queue_url: impl Into<String>) -> Self {
        Self { aws, queue_url: queue_url.into(), client: OnceLock::new() }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            // A message that is sent twice has the same id and counts once, so a lost answer is worth a second try.
            let limits = CallLimits {
                connect_timeout: Duration::from_millis(300),
                attempt_timeout: Duration::from_millis(400),
                operation_timeout: Duration::from_secs(1),
                attempts: 2,
                initial_backoff: Duration::from_millis(20),
            };
            Client::new(&sdk_config(&self.aws, &limits))
        })
    }
}

impl UsageSink for QueueSink {
    fn send<'a>(&'a self, message: &'a UsageMessage) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let body = serde_json::to_string(message).map_err(|error| error.to_string())?;
            let sending = self.client().send_message().queue_url(&self.queue_url).message_body(body).send();
            let sent = sending.await.map_err(|error| AwsError::from_sdk("sqs:SendMessage", &self.queue_url, &error));
            sent.map(drop).map_err(|error| error.to_string())
        })
    }
}
