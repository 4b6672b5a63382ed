//! One item of a batch: an event to count, or what is wrong with it; and whose it is.

use module_mgmt_protocol::caller::Caller;
use module_mgmt_protocol::field_error::FieldError;
use module_mgmt_protocol::usage::MAX_EVENT_BYTES;

use super::check::CheckedEvent;
use super::id;
use super::sent::SentEvent;
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

/// Whom a use is counted for. A message that cannot be read is nobody's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attribution {
    pub org_id: Option<String>,
    pub user_id: Option<String>,
}

impl Attribution {
    pub fn of(caller: &Caller) -> Self {
        Self { org_id: Some(caller.org_id.clone()), user_id: Some(caller.user_id.clone()) }
    }
}

/// An item; it borrows from the text that was sent.
#[derive(Debug)]
pub struct BatchItem<'a> {
    pub attribution: Attribution,
    pub event: Result<CheckedEvent<'a>, Refusal>,
    /// What was sent; kept when the item is refused.
    pub raw: &'a str,
}

impl<'a> BatchItem<'a> {
    /// An item of a caller: what somebody sends over HTTP, or a host records for them.
    pub fn from_caller(caller: &Caller, raw: &'a str) -> Self {
        Self { attribution: Attribution::of(caller), event: read(raw, None), raw }
    }

    /// [`Self::from_caller`] for an event of the module that the path names.
    pub fn from_caller_of_module(caller: &Caller, raw: &'a str, module_name: &'a str) -> Self {
        Self { attribution: Attribution::of(caller), event: read(raw, Some(module_name)), raw }
    }
}

fn read<'a>(raw: &'a str, module_name: Option<&'a str>) -> Result<CheckedEvent<'a>, Refusal> {
    if raw.len() > MAX_EVENT_BYTES {
        let message = format!("an event has at most {MAX_EVENT_BYTES} bytes");
        return Err(Refusal::new(RejectReason::TooLarge, "", message));
    }
    let sent = SentEvent::read(raw).map_err(|error| Refusal::new(RejectReason::Malformed, "", error))?;
    CheckedEvent::check(sent, module_name, id::make)
}
