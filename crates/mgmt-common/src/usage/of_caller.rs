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
