//! A warm ping, as the warmer sends it, and its answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// `source` of a ping.
pub const PING_SOURCE: &str = "module-mgmt.warmer";
/// No ping holds an instance longer, whatever it asks for.
pub const MAX_HOLD: Duration = Duration::from_secs(2);

/// The event of a ping: `{"source":"module-mgmt.warmer","ping":{"runId","invocation","of","holdMs"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PingEvent {
    pub source: String,
    pub ping: Ping,
}

/// One of the pings that a run sends to one function at the same time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ping {
    pub run_id: String,
    /// 1 to `of`.
    pub invocation: u32,
    pub of: u32,
    /// How long the instance is kept, in milliseconds, so that the other pings meet other instances.
    pub hold_ms: u64,
}

/// What a warmed function answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PingAnswer {
    pub instance_id: String,
    /// Whether the ping was the first event of the instance.
    pub cold_start: bool,
    /// Milliseconds from the start of `main` until the function was ready for events.
    pub init_ms: u64,
    /// Milliseconds since the start of `main`.
    pub age_ms: u64,
}

impl Ping {
    /// The event that carries this ping.
    pub fn into_event(self) -> PingEvent {
        PingEvent { source: PING_SOURCE.to_owned(), ping: self }
    }
}

impl PingEvent {
    /// Whether the event came from the warmer.
    pub fn is_of_the_warmer(&self) -> bool {
        self.source == PING_SOURCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_another_source_is_not_of_the_warmer() {
        let ping = Ping { run_id: "r".to_owned(), invocation: 1, of: 1, hold_ms: 0 };
        let event = ping.into_event();
        assert!(event.is_of_the_warmer());
        for source in ["", "aws.events", "module-mgmt", "module-mgmt.warmer2"] {
            assert!(!PingEvent { source: source.to_owned(), ..event.clone() }.is_of_the_warmer(), "{source:?}");
        }
    }
}
