//! Where records go.

use module_mgmt_protocol::usage::UsageMessage;

use crate::BoxFuture;

/// Where records go. The recorder limits the time, and sends in a task of its own: an answer may come after the response.
pub trait UsageSink: Send + Sync {
    /// # Errors
    /// Why it was not taken, for the log.
    fn send<'a>(&'a self, message: &'a UsageMessage) -> BoxFuture<'a, Result<(), String>>;
}
