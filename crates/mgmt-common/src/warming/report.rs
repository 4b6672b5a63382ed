//! What a run found out, per function and in all: as the warmer writes it, the history keeps it and the API shows it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a run ended, or that it has not. The texts are those of the table's check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// It has begun; where it stays so, the run broke off.
    Running,
    Done,
    /// A concurrency limit or the time left pings out.
    Cut,
    /// Nothing was reached.
    Failed,
}

impl RunStatus {
    pub const ALL: [Self; 4] = [Self::Running, Self::Done, Self::Cut, Self::Failed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cut => "cut",
            Self::Failed => "failed",
        }
    }
}

/// What became of one function in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FunctionState {
    /// As many as were asked for.
    Warm,
    /// Fewer than asked for.
    Short,
    /// Not pinged, because its real handler would run.
    Suspended,
    /// None.
    Failed,
}

/// What native pings have shown of a function. The texts are those of the table's check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TargetStatus {
    /// Written before the first ping. Where it is found later, nobody knows what that ping ran into.
    Probing,
    Proven,
    /// Never pinged; a word of a later build counts as this.
    #[serde(other)]
    Suspended,
}

impl TargetStatus {
    pub const ALL: [Self; 3] = [Self::Probing, Self::Proven, Self::Suspended];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Probing => "probing",
            Self::Proven => "proven",
            Self::Suspended => "suspended",
        }
    }
}

/// Figures of one function or of a whole run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WarmingFigures)]
pub struct Figures {
    /// Pings wanted: the function's concurrency.
    pub asked: u32,
    /// Of those, how many were answered: of native pings in the better of two rounds, because the second repeats all.
    pub reached: u32,
    /// Distinct instances that answered; null when the payload returns no instance ids.
    pub unique: Option<u32>,
    /// Instances that had just started.
    pub cold: u32,
    /// Milliseconds those spent starting, added up.
    pub init_ms: u64,
    /// Pings refused with 429, retries included.
    pub throttled: u32,
    /// Pings that failed otherwise, retries included.
    pub errors: u32,
}

impl Figures {
    /// The sum of both. Functions whose answers prove nothing do not hide those whose answers do.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            asked: self.asked.saturating_add(other.asked),
            reached: self.reached.saturating_add(other.reached),
            unique: match (self.unique, other.unique) {
                (Some(one), Some(another)) => Some(one.saturating_add(another)),
                (one, another) => one.or(another),
            },
            cold: self.cold.saturating_add(other.cold),
            init_ms: self.init_ms.saturating_add(other.init_ms),
            throttled: self.throttled.saturating_add(other.throttled),
            errors: self.errors.saturating_add(other.errors),
        }
    }
}

/// What became of one function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FunctionReport {
    pub name: String,
    pub qualifier: Option<String>,
    pub state: FunctionState,
    #[serde(flatten)]
    pub figures: Figures,
    /// Whether a concurrency limit or the time left pings out.
    pub cut: bool,
    /// What a person should know.
    pub note: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_status_is_written_as_it_is_read() {
        for status in TargetStatus::ALL {
            assert_eq!(
                (json!(status), serde_json::from_value(json!(status.as_str())).ok()),
                (json!(status.as_str()), Some(status))
            );
        }
        for status in RunStatus::ALL {
            assert_eq!(
                (json!(status), serde_json::from_value(json!(status.as_str())).ok()),
                (json!(status.as_str()), Some(status))
            );
        }
        let later: TargetStatus = serde_json::from_value(json!("of a later build")).unwrap();
        assert_eq!(later, TargetStatus::Suspended);
    }

    #[test]
    fn figures_add_up_and_never_overflow() {
        let most = Figures { asked: u32::MAX, init_ms: u64::MAX, unique: Some(2), ..Figures::default() };
        let sum = most.plus(&Figures { asked: 1, init_ms: 1, unique: None, cold: 3, ..Figures::default() });
        assert_eq!((sum.asked, sum.init_ms, sum.unique, sum.cold), (u32::MAX, u64::MAX, Some(2), 3));
        assert_eq!(sum.plus(&sum).unique, Some(4));
        assert_eq!(Figures::default().plus(&Figures::default()).unique, None);
    }
}
