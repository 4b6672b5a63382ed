//! What pings have proven about a function, and what the next tick may send it for that. Pure.

use std::collections::BTreeMap;

use mgmt_common::warming::report::TargetStatus;

/// Function name and qualifier as the schedule has them; no qualifier is an empty one.
pub(crate) type Key = (String, String);

/// What is stored about a function: one row of `platform_warming_target`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TargetRecord {
    /// Of the schedule's entry.
    pub(crate) fingerprint: String,
    pub(crate) status: TargetStatus,
    /// The code that this is about; `None`: Lambda did not tell.
    pub(crate) code_sha256: Option<String>,
    /// Why it is suspended.
    pub(crate) reason: Option<String>,
}

/// Compare and set: stored only where the row still equals `before`. Whatever else stands there comes from another tick and is newer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TargetChange {
    pub(crate) before: Option<TargetRecord>,
    pub(crate) after: Option<TargetRecord>,
}

/// Changes that the database may not have yet, by target.
pub(crate) type PendingChanges = BTreeMap<Key, TargetChange>;

/// What a tick may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PingDecision {
    /// All pings at once.
    Proven,
    /// Proven, but whether for this code is not known now: one ping first. Its trouble suspends nothing.
    Check,
    /// One ping first, after that has been written down. It decides.
    Probe,
    /// Nothing.
    Suspended(String),
}

/// Judges what is known about the same entry by the code that runs now (`None`: Lambda does not tell).
///
/// A proof and a suspension are about code. Other code has proven nothing and has done nothing wrong: it is probed. Where the
/// code of a suspension is not known, it holds.
pub(crate) fn decide_ping(known: Option<&TargetRecord>, code: Option<&str>) -> PingDecision {
    let Some(known) = known else { return PingDecision::Probe };
    match (known.status, known.code_sha256.as_deref(), code) {
        (TargetStatus::Proven, _, None) => PingDecision::Check,
        (TargetStatus::Proven, Some(then), Some(now)) if then == now => PingDecision::Proven,
        (TargetStatus::Proven, ..) => PingDecision::Probe,
        (_, Some(then), Some(now)) if then != now => PingDecision::Probe,
        (TargetStatus::Probing, ..) => {
            PingDecision::Suspended("the answer to its first ping was never recorded".into())
        }
        (TargetStatus::Suspended, ..) => PingDecision::Suspended(known.reason.clone().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_code_keeps_a_proof_and_only_other_code_lifts_a_suspension() {
        let check = |status, then: Option<&str>, now, expected: PingDecision| {
            let known = TargetRecord {
                fingerprint: String::new(),
                status,
                code_sha256: then.map(str::to_owned),
                reason: Some("why".into()),
            };
            assert_eq!(decide_ping(Some(&known), now), expected, "{known:?} {now:?}");
        };
        check(TargetStatus::Proven, Some("a"), Some("a"), PingDecision::Proven);
        check(TargetStatus::Proven, Some("a"), Some("b"), PingDecision::Probe);
        check(TargetStatus::Proven, None, Some("a"), PingDecision::Probe);
        check(TargetStatus::Proven, Some("a"), None, PingDecision::Check);
        check(TargetStatus::Suspended, Some("a"), Some("b"), PingDecision::Probe);
        for (then, now) in [(Some("a"), Some("a")), (None, Some("a")), (Some("a"), None), (None, None)] {
            check(TargetStatus::Suspended, then, now, PingDecision::Suspended("why".into()));
            let lost = "the answer to its first ping was never recorded";
            check(TargetStatus::Probing, then, now, PingDecision::Suspended(lost.into()));
        }
        check(TargetStatus::Probing, Some("a"), Some("b"), PingDecision::Probe);
        assert_eq!(decide_ping(None, None), PingDecision::Probe);
    }

    #[test]
    fn a_status_is_read_as_it_was_written() {
        for status in TargetStatus::ALL {
            let read: TargetStatus = serde_json::from_value(serde_json::json!(status.as_str())).unwrap();
            assert_eq!(read, status);
        }
    }
}
