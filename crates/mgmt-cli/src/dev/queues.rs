//! Queues: made, joined to functions, filled, and watched while they drain.

use anyhow::{Context as _, Result, ensure};
use axum::http::Method;
use serde_json::{Value, json};

use super::aws::{Aws, text};

/// What one request may send.
const SENT_AT_ONCE: usize = 10;

impl Aws {
    /// Creates the queue and answers its ARN. A message that was received is hidden from others for so long; the manual of Lambda
    /// asks for six times the timeout of the function that takes it.
    pub(crate) async fn create_queue(&self, name: &str, hidden_seconds: u32) -> Result<String> {
        let queue = json!({ "QueueName": name, "Attributes": { "VisibilityTimeout": hidden_seconds.to_string() } });
        let queue = self.action("sqs", "AmazonSQS.CreateQueue", &queue).await?;
        let question = json!({ "QueueUrl": text(&queue, "QueueUrl")?, "AttributeNames": ["QueueArn"] });
        let answer = self.action("sqs", "AmazonSQS.GetQueueAttributes", &question).await?;
        text(&answer["Attributes"], "QueueArn")
    }

    /// Hands the messages of a queue to a function, which names those that must come again.
    pub(crate) async fn map_queue(&self, queue_arn: &str, function: &str) -> Result<()> {
        let body = json!({
            "EventSourceArn": queue_arn,
            "FunctionName": function,
            // More than ten at once take a window, even the shortest.
            "BatchSize": 100,
            "MaximumBatchingWindowInSeconds": 1,
            "ScalingConfig": { "MaximumConcurrency": 2 },
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        });
        self.rest("lambda", Method::POST, "/2015-03-31/event-source-mappings", &body).await.map(drop)
    }

    /// Sends all messages, in their order.
    pub(crate) async fn send_messages(&self, queue: &str, messages: &[String]) -> Result<()> {
        let url = self.queue_url(queue).await?;
        for messages in messages.chunks(SENT_AT_ONCE) {
            let entry = |(n, body): (usize, &String)| json!({ "Id": n.to_string(), "MessageBody": body });
            let entries: Vec<Value> = messages.iter().enumerate().map(entry).collect();
            let batch = json!({ "QueueUrl": url, "Entries": entries });
            let answer = self.action("sqs", "AmazonSQS.SendMessageBatch", &batch).await?;
            let sent = answer["Successful"].as_array().map_or(0, Vec::len);
            ensure!(sent == messages.len(), "{queue} took {sent} of {} messages: {answer}", messages.len());
        }
        Ok(())
    }

    /// How many messages a queue still holds, those included that somebody is working on.
    pub(crate) async fn messages_left(&self, queue: &str) -> Result<u64> {
        let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let question = json!({ "QueueUrl": self.queue_url(queue).await?, "AttributeNames": names });
        let answer = self.action("sqs", "AmazonSQS.GetQueueAttributes", &question).await?;
        let numbers = names.map(|name| answer["Attributes"][name].as_str().and_then(|text| text.parse::<u64>().ok()));
        numbers.into_iter().sum::<Option<u64>>().with_context(|| format!("{queue} has no numbers: {answer}"))
    }

    async fn queue_url(&self, queue: &str) -> Result<String> {
        let answer = self.action("sqs", "AmazonSQS.GetQueueUrl", &json!({ "QueueName": queue })).await?;
        text(&answer, "QueueUrl")
    }
}
