//! Faults that a test scripts and the fake plays.

/// One way a call can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `PutTargets` and `RemoveTargets` answer 200 with `FailedEntryCount` 1 and leave that entry undone; other actions
    /// have no entries, so there it counts as never played.
    FailedEntry,
    /// 400 `ThrottlingException`, nothing applied.
    Throttling,
    /// 400 `ConcurrentModificationException`, nothing applied.
    ConcurrentModification,
    /// 500 `InternalException`, nothing applied.
    Internal,
    /// Applied, then 500 `InternalException`.
    InternalAfterApplying,
    /// Applied, then the connection is closed without an answer.
    LostResponse,
    /// The connection is closed before anything is applied.
    Dropped,
    /// Reads answer from the bus as it was before the last `writes` writes; at a write it counts as never played.
    Stale { writes: usize },
    /// 400 `LimitExceededException`, nothing applied.
    LimitExceeded,
    /// 400 `AccessDeniedException` that names action and ARN, nothing applied.
    AccessDenied,
    /// Nothing applied and never an answer.
    Hang,
    /// Applied, but never an answer.
    HangAfterApplying,
}

impl Fault {
    /// Whether it is any different from no fault for this action.
    pub fn concerns(self, action: &str) -> bool {
        match self {
            Self::FailedEntry => action.ends_with("Targets"),
            Self::Stale { .. } => action.starts_with("List"),
            _ => true,
        }
    }
}

/// What is still to be played.
#[derive(Debug, Default)]
pub(crate) struct Script {
    planned: Vec<Planned>,
    /// Faults that met an action which they do not concern.
    without_effect: Vec<String>,
}

#[derive(Debug)]
struct Planned {
    /// `None` counts calls of every action.
    action: Option<String>,
    /// Matching calls until the fault is played; `None` plays it at every one.
    remaining: Option<usize>,
    fault: Fault,
    /// Of those that are played at every call: at least once.
    was_played: bool,
}

impl Script {
    pub(crate) fn at(&mut self, action: Option<&str>, nth: usize, fault: Fault) {
        assert!(nth > 0, "the next call is number 1");
        self.planned.push(Planned {
            action: action.map(str::to_owned),
            remaining: Some(nth),
            fault,
            was_played: false,
        });
    }

    pub(crate) fn always(&mut self, action: &str, fault: Fault) {
        self.planned.push(Planned { action: Some(action.to_owned()), remaining: None, fault, was_played: false });
    }

    /// Counts one call and answers the fault it meets; of several, the one scripted first.
    pub(crate) fn next(&mut self, action: &str) -> Option<Fault> {
        let mut due = None;
        let without_effect = &mut self.without_effect;
        self.planned.retain_mut(|planned| {
            if planned.action.as_deref().is_some_and(|only| only != action) {
                return true;
            }
            if let Some(remaining @ 2..) = &mut planned.remaining {
                *remaining -= 1;
                return true;
            }
            due.get_or_insert(planned.fault);
            let concerns = planned.fault.concerns(action);
            planned.was_played |= concerns;
            if planned.remaining.is_some() && !concerns {
                without_effect.push(format!("{:?} at {action}, which it does not concern", planned.fault));
            }
            planned.remaining.is_none()
        });
        due
    }

    /// The scripted faults that no call has met, in words.
    pub(crate) fn unplayed(&self) -> Vec<String> {
        let never = self.planned.iter().filter(|planned| !planned.was_played).map(|planned| {
            let action = planned.action.as_deref().unwrap_or("call");
            match planned.remaining {
                Some(more) => format!("{:?} at a {action} that never came, {more} more of them", planned.fault),
                None => format!("{:?} at every {action}, of which none came", planned.fault),
            }
        });
        self.without_effect.iter().cloned().chain(never).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Script};

    #[test]
    fn a_fault_that_no_call_met_is_unplayed() {
        let mut script = Script::default();
        script.at(Some("PutRule"), 2, Fault::Internal);
        script.always("DeleteRule", Fault::Throttling);
        assert_eq!((script.next("PutRule"), script.unplayed().len()), (None, 2));
        assert_eq!((script.next("PutRule"), script.unplayed().len()), (Some(Fault::Internal), 1));
        assert_eq!((script.next("DeleteRule"), script.unplayed().len()), (Some(Fault::Throttling), 0));
    }

    #[test]
    fn a_fault_that_makes_no_difference_is_unplayed() {
        let mut script = Script::default();
        script.at(None, 1, Fault::Stale { writes: 1 });
        assert_eq!((script.next("PutRule"), script.unplayed().len()), (Some(Fault::Stale { writes: 1 }), 1));
    }
}
