//! Query parameters as arguments of handlers.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;

use super::error::{Error, Result};

/// A query that was sent, or why it cannot be read. A handler reads it after it has looked who asks.
pub type Sent<T> = Result<Query<T>, QueryRejection>;

/// # Errors
/// 400 for parameters that the route does not know and for values that are none.
pub fn query_of<T>(sent: Sent<T>) -> Result<T> {
    sent.map(|Query(query)| query).map_err(|rejection| Error::malformed(rejection.body_text()))
}
