//! One function to ping, and what is known about it.

use mgmt_common::schedule::functions::{Payload, WarmFunction};
use sha2::{Digest as _, Sha256};

/// What earlier native pings of a function have shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) fingerprint: String,
    pub(crate) is_proven: bool,
    /// The code that was suspended.
    pub(crate) code_sha256: Option<String>,
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) function: WarmFunction,
    pub(crate) known: Option<Known>,
}

impl Target {
    /// Drops what is known about another entry: a changed entry is tried anew.
    pub(crate) fn new(function: WarmFunction, known: Option<Known>) -> Self {
        let fingerprint = fingerprint(&function);
        Self { function, known: known.filter(|known| known.fingerprint == fingerprint) }
    }

    /// Whether it speaks our protocol, so that pings prove something.
    pub(crate) fn is_native(&self) -> bool {
        self.function.payload == Payload::Native
    }
}

/// Identifies what is pinged and how: name, qualifier and payload. The number of instances is no part of it.
pub(crate) fn fingerprint(function: &WarmFunction) -> String {
    let text =
        format!("{}\n{}\n{:?}", function.name, function.qualifier.as_deref().unwrap_or_default(), function.payload);
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
