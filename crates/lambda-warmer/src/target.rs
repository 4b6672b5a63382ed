//! One function to ping, and what is known about it.

use mgmt_common::schedule::functions::{Payload, WarmFunction};
use sha2::{Digest as _, Sha256};

use crate::proof::{Key, TargetRecord};

#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) function: WarmFunction,
    /// The row under its name and qualifier, also where that is about another entry.
    pub(crate) stored: Option<TargetRecord>,
}

impl Target {
    /// What is known about this very entry: a changed entry is tried anew.
    pub(crate) fn known(&self) -> Option<&TargetRecord> {
        let fingerprint = fingerprint(&self.function);
        self.stored.as_ref().filter(|known| known.fingerprint == fingerprint)
    }

    /// Whether it speaks our protocol, so that pings prove something.
    pub(crate) fn is_native(&self) -> bool {
        self.function.payload == Payload::Native
    }

    pub(crate) fn key(&self) -> Key {
        key(&self.function)
    }

    /// The name without the rest of an ARN: reserved concurrency belongs to the function, whatever an entry calls it.
    pub(crate) fn bare_name(&self) -> &str {
        self.function.name.rsplit(':').next().unwrap_or_default()
    }
}

pub(crate) fn key(function: &WarmFunction) -> Key {
    (function.name.clone(), function.qualifier.clone().unwrap_or_default())
}

/// Identifies what is pinged and how: name, qualifier and payload. The number of instances is no part of it.
pub(crate) fn fingerprint(function: &WarmFunction) -> String {
    let text =
        format!("{}\n{}\n{:?}", function.name, function.qualifier.as_deref().unwrap_or_default(), function.payload);
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
