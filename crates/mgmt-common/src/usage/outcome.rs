//! What became of an event. The texts are those of the API, of the database's answer and of its checks.

use std::fmt;

use module_mgmt_protocol::usage::reject_reason::RejectReason;
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer};

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Counted now.
    Accepted,
    /// Counted before, with the same content.
    Duplicate,
    /// The id was counted with another content, which stays.
    Conflict,
    Rejected(RejectReason),
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::Rejected(reason) => reason.as_str(),
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        let counted =
            [Self::Accepted, Self::Duplicate, Self::Conflict].into_iter().find(|known| known.as_str() == text);
        counted.or_else(|| RejectReason::from_text(text).map(Self::Rejected))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_text(&text).ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &"an outcome of counting"))
    }
}

/// How many items of a batch became what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub accepted: usize,
    pub duplicates: usize,
    pub conflicts: usize,
    pub rejected: usize,
}

impl Totals {
    pub fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut totals = Self::default();
        for outcome in outcomes {
            match outcome {
                Outcome::Accepted => totals.accepted += 1,
                Outcome::Duplicate => totals.duplicates += 1,
                Outcome::Conflict => totals.conflicts += 1,
                Outcome::Rejected(_) => totals.rejected += 1,
            }
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_reads_as_it_is_written_and_no_two_alike() {
        let rejected = RejectReason::ALL.map(Outcome::Rejected);
        let all: Vec<_> =
            [Outcome::Accepted, Outcome::Duplicate, Outcome::Conflict].into_iter().chain(rejected).collect();
        for outcome in &all {
            assert_eq!(Outcome::from_text(outcome.as_str()), Some(*outcome));
            assert_eq!(outcome.to_string(), outcome.as_str());
        }
        assert_eq!(Outcome::from_text("lost"), None);
        let totals = Totals::of(all);
        assert_eq!(totals, Totals { accepted: 1, duplicates: 1, conflicts: 1, rejected: 10 });
    }
}
