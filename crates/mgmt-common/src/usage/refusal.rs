//! Why an event is not counted, with everything that is wrong with it.

use module_mgmt_protocol::field_error::FieldError;
use module_mgmt_protocol::usage::reject_reason::RejectReason;

/// Why an item is not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reason: RejectReason,
    pub errors: Vec<FieldError>,
}

impl Refusal {
    pub fn new(reason: RejectReason, pointer: &str, message: impl Into<String>) -> Self {
        Self { reason, errors: vec![FieldError::new(pointer, message)] }
    }

    pub fn detail(&self) -> String {
        let sentences =
            self.errors.iter().map(|error| format!("{} {}", error.pointer, error.message).trim().to_owned());
        sentences.collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_every_error_with_its_place() {
        let errors = vec![FieldError::new("/id", "is wrong"), FieldError::new("", "is too large")];
        assert_eq!(Refusal { reason: RejectReason::Invalid, errors }.detail(), "/id is wrong; is too large");
    }
}
