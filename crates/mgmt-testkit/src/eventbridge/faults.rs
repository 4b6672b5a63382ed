//! Faults that a test scripts and the fake plays.

/// One way a call can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `PutTargets` and `RemoveTargets` answer 200 with `FailedEntryCount` 1 and leave that entry undone; other actions
    /// are answered as if there were no fault, because they have no entries.
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
    /// Reads answer from the bus as it was before the last `writes` writes; writes are not affected.
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

/// What is still to be played.
#[derive(Debug, Default)]
pub(crate) struct Script {
    planned: Vec<Planned>,
}

#[derive(Debug)]
struct Planned {
    /// `None` counts calls of every action.
    action: Option<String>,
    /// Matching calls until the fault is played; `None` plays it at every one.
    remaining: Option<usize>,
    fault: Fault,
}

impl Script {
    pub(crate) fn at(&mut self, action: Option<&str>, nth: usize, fault: Fault) {
        assert!(nth > 0, "the next call is number 1");
        self.planned.push(Planned { action: action.map(str::to_owned), remaining: Some(nth), fault });
    }

    pub(crate) fn always(&mut self, action: &str, fault: Fault) {
        self.planned.push(Planned { action: Some(action.to_owned()), remaining: None, fault });
    }

    /// Counts one call and answers the fault it meets; of several, the one scripted first.
    pub(crate) fn next(&mut self, action: &str) -> Option<Fault> {
        let mut due = None;
        self.planned.retain_mut(|planned| {
            if planned.action.as_deref().is_some_and(|only| only != action) {
                return true;
            }
            match &mut planned.remaining {
                None => {
                    due.get_or_insert(planned.fault);
                    true
                }
                Some(1) => {
                    due.get_or_insert(planned.fault);
                    false
                }
                Some(remaining) => {
                    *remaining -= 1;
                    true
                }
            }
        });
        due
    }
}
