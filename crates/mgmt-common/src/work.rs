//! Work that takes the processor for long, beside the event loop.

use crate::db::{Error, Result};

/// Runs what may take more than a few milliseconds of processor on a thread of its own, so that whoever shares the loop goes on.
///
/// # Errors
/// What the work says; [`Error::Internal`] where it panicked.
pub async fn aside<T: Send + 'static, E: From<Error> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Error::Internal(format!("work beside the loop: {error}")).into()))
}
