//! Items of a caller: what somebody sends over HTTP, or a host records for them.

use super::check::CheckedEvent;
use super::event::{MAX_EVENT_BYTES, UsageEvent};
use super::id;
use super::item::{Item, Refusal, Sender};
use crate::caller::Caller;
use crate::json;

/// Reads an event from JSON. What cannot be read is an item too, to be kept with its reason.
pub fn read(caller: &Caller, raw: &str) -> Item {
    match json::parse::<UsageEvent>(raw.as_bytes()) {
        Ok(event) => checked(caller, event, raw),
        Err(error) => item(caller, Err(Refusal::new("malformed", "", error.to_string())), raw),
    }
}

/// Checks an event that was read from `raw`.
pub fn checked(caller: &Caller, event: UsageEvent, raw: &str) -> Item {
    if raw.len() > MAX_EVENT_BYTES {
        let refusal = Refusal::new("too_large", "", format!("an event has at most {MAX_EVENT_BYTES} bytes"));
        return item(caller, Err(refusal), raw);
    }
    let event = event.check(id::make);
    item(caller, event.map_err(|errors| Refusal { reason: "invalid", errors }), raw)
}

fn item(caller: &Caller, event: Result<CheckedEvent, Refusal>, raw: &str) -> Item {
    let sender = Sender { org_id: Some(caller.org_id.clone()), user_id: Some(caller.user_id.clone()) };
    Item { sender, event, raw: raw.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn caller() -> Caller {
        Caller {
            user_id: "user-1".to_owned(),
            org_id: "org-1".to_owned(),
            is_platform_admin: false,
            is_org_admin: false,
            permissions: BTreeSet::new(),
            request_id: String::new(),
        }
    }

    fn event(fill: usize) -> String {
        let known = r#"{"eventType":"api_call","moduleName":"module-ai","status":"success","metadata":""}"#;
        known.replace(r#""""#, &format!("\"{}\"", "x".repeat(fill)))
    }

    #[test]
    fn an_item_is_of_its_caller_and_keeps_what_was_sent() {
        let sent = event(0);
        let item = read(&caller(), &sent);
        assert_eq!((item.sender.org_id.as_deref(), item.sender.user_id.as_deref()), (Some("org-1"), Some("user-1")));
        assert_eq!((item.event.unwrap().module_name, item.raw), ("module-ai".to_owned(), sent));
    }

    #[test]
    fn what_is_no_event_is_an_item_with_its_reason() {
        let check = |raw: &str, expected: Option<&str>| {
            let item = read(&caller(), raw);
            assert_eq!((item.event.err().map(|refusal| refusal.reason), item.raw.as_str()), (expected, raw));
        };
        check("7", Some("malformed"));
        check("{}", Some("malformed"));
        check(&event(0).replace("api_call", "other"), Some("invalid"));
        let room = MAX_EVENT_BYTES - event(0).len();
        check(&event(room), None);
        check(&event(room + 1), Some("too_large"));
    }
}
