//! Records to the usage queue, with the host's own client.

use std::fmt::Display;

use module_mgmt_protocol::usage::UsageMessage;

use super::UsageSink;
use crate::BoxFuture;

/// Sends each record as one message, by the function that it was given. The function takes the message's body and sends it to the
/// usage queue, for example with the `aws-sdk-sqs` client that the host has anyway. It may send a message twice: the id counts once.
#[derive(Debug, Clone)]
pub struct QueueSink<F> {
    send: F,
}

impl<F, S, E> QueueSink<F>
where
    F: Fn(String) -> S + Send + Sync,
    S: Future<Output = Result<(), E>> + Send,
    E: Display,
{
    pub fn new(send: F) -> Self {
        Self { send }
    }
}

impl<F, S, E> UsageSink for QueueSink<F>
where
    F: Fn(String) -> S + Send + Sync,
    S: Future<Output = Result<(), E>> + Send,
    E: Display,
{
    fn send<'a>(&'a self, message: &'a UsageMessage) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let body = serde_json::to_string(message).map_err(|error| error.to_string())?;
            (self.send)(body).await.map_err(|error| error.to_string())
        })
    }
}
