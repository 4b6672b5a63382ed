//! Why an event is not counted, with everything that is wrong with it.

use module_mgmt_protocol::field_error::FieldError;
use module_mgmt_protocol::usage::reject_reason::RejectReason;
use uuid::Uuid;

use crate::text;

/// The most faults of one event that are told, and the most characters of their sentences together: an answer about a thousand events must
/// fit into what Lambda answers, whatever their keys are.
const MAX_ERRORS: usize = 50;
const MAX_DETAIL: usize = 500;

/// Why an item is not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reason: RejectReason,
    pub errors: Vec<FieldError>,
    /// The event's id, where it has one that can be read: its sender looks for it.
    pub event_id: Option<Uuid>,
}

impl Refusal {
    pub fn new(reason: RejectReason, pointer: &str, message: impl Into<String>) -> Self {
        Self { reason, errors: vec![FieldError::new(pointer, message)], event_id: None }
    }

    /// A refusal for several faults. Where there are very many, the last one told says how many more there are.
    pub fn of(reason: RejectReason, mut errors: Vec<FieldError>) -> Self {
        if errors.len() > MAX_ERRORS {
            let more = errors.len() - (MAX_ERRORS - 1);
            errors.truncate(MAX_ERRORS - 1);
            errors.push(FieldError::new("", format!("has {more} more faults")));
        }
        Self { reason, errors, event_id: None }
    }

    /// All of it in at most 500 characters; an ellipsis at the end says that it is cut.
    pub fn detail(&self) -> String {
        let sentences =
            self.errors.iter().map(|error| format!("{} {}", error.pointer, error.message).trim().to_owned());
        text::cut(sentences.collect::<Vec<_>>().join("; "), MAX_DETAIL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_every_error_with_its_place() {
        let errors = vec![FieldError::new("/id", "is wrong"), FieldError::new("", "is too large")];
        assert_eq!(Refusal::of(RejectReason::Invalid, errors).detail(), "/id is wrong; is too large");
    }

    #[test]
    fn very_many_faults_are_counted_and_long_words_are_cut() {
        let many = |count: usize| (0..count).map(|n| FieldError::new(format!("/f{n}"), "is wrong")).collect();
        assert_eq!(Refusal::of(RejectReason::Invalid, many(50)).errors.len(), 50);
        assert_eq!(Refusal::of(RejectReason::Invalid, many(50)).errors[49].pointer, "/f49");
        let refusal = Refusal::of(RejectReason::Invalid, many(51));
        assert_eq!((refusal.errors.len(), refusal.errors[49].message.as_str()), (50, "has 2 more faults"));
        let detail = |characters: usize| Refusal::new(RejectReason::Invalid, "", "ä".repeat(characters)).detail();
        assert_eq!(detail(500), "ä".repeat(500));
        assert_eq!(detail(501), "ä".repeat(499) + "…");
    }
}
