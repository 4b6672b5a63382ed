//! What proves to the control plane who reads the state.

use std::fmt;
use std::sync::Arc;

/// The value of an `authorization` header. It is kept in memory only, and no debug output shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(Arc<str>);

impl Credential {
    /// The whole value of the header, for example `Bearer eyJ…`.
    pub fn new(authorization: impl Into<Arc<str>>) -> Self {
        Self(authorization.into())
    }

    pub fn authorization(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(hidden)")
    }
}
