//! Where records go.

use std::pin::Pin;

use super::UsageMessage;

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where records go. The recorder limits the time.
pub trait UsageSink: Send + Sync {
    /// # Errors
    /// Why it was not taken, for the log.
    fn send<'a>(&'a self, message: &'a UsageMessage) -> BoxFuture<'a, Result<(), String>>;
}
