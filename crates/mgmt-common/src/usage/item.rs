//! One item of a batch: an event to count, or what is wrong with it; and whose it is.

use jiff::Timestamp;
use module_mgmt_protocol::caller::Caller;
use module_mgmt_protocol::usage::MAX_EVENT_BYTES;
use module_mgmt_protocol::usage::reject_reason::RejectReason;
use uuid::Uuid;

use super::check::CheckedEvent;
use super::id;
use super::refusal::Refusal;
use super::sent::SentEvent;

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
        Self { attribution: Attribution::of(caller), event: read(raw, None, id::make), raw }
    }

    /// An item of a message, which has its own word about whose it is; `made` is the id of an event that came without.
    pub fn of_message(
        attribution: Attribution,
        event: &'a str,
        message: &'a str,
        made: impl FnOnce() -> (Uuid, Timestamp),
    ) -> Self {
        Self { attribution, event: read(event, None, made), raw: message }
    }

    /// [`Self::from_caller`] for an event of the module that the path names.
    pub fn from_caller_of_module(caller: &Caller, raw: &'a str, module_name: &'a str) -> Self {
        Self { attribution: Attribution::of(caller), event: read(raw, Some(module_name), id::make), raw }
    }
}

fn read<'a>(
    raw: &'a str,
    module_name: Option<&'a str>,
    made: impl FnOnce() -> (Uuid, Timestamp),
) -> Result<CheckedEvent<'a>, Refusal> {
    if raw.len() > MAX_EVENT_BYTES {
        let message = format!("an event has at most {MAX_EVENT_BYTES} bytes");
        return Err(Refusal::new(RejectReason::TooLarge, "", message));
    }
    let sent = SentEvent::read(raw).map_err(|error| Refusal::new(RejectReason::Malformed, "", error))?;
    CheckedEvent::check(sent, module_name, made)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(fill: usize) -> String {
        let known = r#"{"eventType":"api_call","moduleName":"module-ai","status":"success","metadata":""}"#;
        known.replace(r#""""#, &format!("\"{}\"", "x".repeat(fill)))
    }

    #[test]
    fn an_item_is_of_its_caller_and_keeps_what_was_sent() {
        let sent = event(0);
        let item = BatchItem::from_caller(&Caller::without_rights("user-1", "org-1"), &sent);
        let attribution = Attribution { org_id: Some("org-1".to_owned()), user_id: Some("user-1".to_owned()) };
        assert_eq!((item.attribution, item.raw), (attribution, sent.as_str()));
        assert_eq!(item.event.unwrap().module_name, "module-ai");
    }

    #[test]
    fn the_module_of_the_path_is_the_events_module_and_no_other_may_be_named() {
        let caller = Caller::without_rights("u", "o");
        let module = |raw: &str| {
            let item = BatchItem::from_caller_of_module(&caller, raw, "module-ai");
            item.event.map(|event| event.module_name.into_owned()).map_err(|refusal| refusal.detail())
        };
        assert_eq!(module(r#"{"eventType":"api_call","status":"success"}"#), Ok("module-ai".to_owned()));
        assert_eq!(module(&event(0)), Ok("module-ai".to_owned()));
        let other = event(0).replace("module-ai", "module-b");
        assert_eq!(module(&other), Err("/moduleName must be the module of the path, or absent".to_owned()));
    }

    #[test]
    fn what_is_no_event_is_an_item_with_its_reason() {
        let check = |raw: &str, expected: Option<RejectReason>| {
            let item = BatchItem::from_caller(&Caller::without_rights("u", "o"), raw);
            assert_eq!((item.event.err().map(|refusal| refusal.reason), item.raw), (expected, raw));
        };
        check("7", Some(RejectReason::Malformed));
        check("{}", Some(RejectReason::Malformed));
        check(&event(0).replace("api_call", "other"), Some(RejectReason::Invalid));
        let room = MAX_EVENT_BYTES - event(0).len();
        check(&event(room), None);
        check(&event(room + 1), Some(RejectReason::TooLarge));
    }
}
