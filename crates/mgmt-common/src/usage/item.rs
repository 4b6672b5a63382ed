//! One item of a batch, on its way into the database: an event to count, or what is wrong with it.

use jiff::Timestamp;

use super::check::CheckedEvent;
use super::judge::States;
use super::window;
use crate::field_error::FieldError;

/// Why an item is not counted.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Stable, for programs.
    pub reason: &'static str,
    pub errors: Vec<FieldError>,
}

impl Refusal {
    pub fn new(reason: &'static str, pointer: &str, message: impl Into<String>) -> Self {
        Self { reason, errors: vec![FieldError::new(pointer, message)] }
    }

    pub fn detail(&self) -> String {
        let sentences =
            self.errors.iter().map(|error| format!("{} {}", error.pointer, error.message).trim().to_owned());
        sentences.collect::<Vec<_>>().join("; ")
    }
}

/// Whose item it is.
#[derive(Debug, Clone, Default)]
pub struct Sender {
    pub org_id: Option<String>,
    pub user_id: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Item {
    pub sender: Sender,
    pub event: Result<CheckedEvent, Refusal>,
    /// What was sent; kept when it is refused.
    pub raw: String,
}

impl Item {
    /// Refuses what is outside the window or of a module that was off.
    pub fn judge(&mut self, states: &States, now: Timestamp, max_age_days: u16) {
        let Ok(event) = &self.event else { return };
        let org_id = self.sender.org_id.as_deref().unwrap_or_default();
        let refusal = states
            .known(&event.module_name)
            .and_then(|()| in_window(event, now, max_age_days))
            .and_then(|()| states.judge(&event.module_name, org_id, event.occurred_at));
        if let Err(refusal) = refusal {
            self.event = Err(refusal);
        }
    }
}

/// Both times: the id's decides where the event is stored, the other one what it counts for.
fn in_window(event: &CheckedEvent, now: Timestamp, max_age_days: u16) -> Result<(), Refusal> {
    for (pointer, time) in [("/occurredAt", event.occurred_at), ("/id", event.id_time)] {
        window::check(time, now, max_age_days).map_err(|outside| {
            let message = format!("its time {time} is not between {max_age_days} days ago and 24 hours ahead");
            Refusal::new(outside.code(), pointer, message)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::super::event::UsageEvent;
    use super::super::judge::ModuleRow;
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// An event whose id is of 2024-07-11T04:14:32.96Z.
    fn item(module: &str, occurred_at: &str) -> Item {
        let event: UsageEvent = serde_json::from_value(json!({
            "id": "0190a000-0000-7000-8000-000000000001", "eventType": "api_call", "moduleName": module,
            "status": "success", "occurredAt": occurred_at,
        }))
        .unwrap();
        let sender = Sender { org_id: Some("a".to_owned()), user_id: None };
        Item { sender, event: Ok(event.check(super::super::id::make).unwrap()), raw: String::new() }
    }

    #[test]
    fn an_item_is_refused_for_its_module_its_times_or_a_module_that_was_off() {
        let row = |name: &str, off_for: &[(&str, &str)]| ModuleRow {
            name: name.to_owned(),
            is_enabled: true,
            is_installed: true,
            is_deleted: false,
            disabled_at: None,
            dependencies: Vec::new(),
            off_for: off_for.iter().map(|(org, since)| ((*org).to_owned(), at(since))).collect(),
        };
        let modules = vec![
            row("module-on", &[]),
            row("module-off", &[("a", "2024-07-01T00:00:00Z"), ("b", "2024-07-01T00:00:00Z")]),
        ];
        let states = States::new(modules, &BTreeSet::from(["a".to_owned()]));
        let check = |module: &str, occurred_at: &str, now: &str, expected: Option<(&str, &str)>| {
            let mut item = item(module, occurred_at);
            item.judge(&states, at(now), 35);
            let refusal = item.event.err();
            let told = refusal.as_ref().map(|refusal| (refusal.reason, refusal.errors[0].pointer.as_str()));
            assert_eq!(told, expected, "{module} {occurred_at} {now}");
        };
        let (day, soon) = ("2024-07-11T00:00:00Z", "2024-07-12T00:00:00Z");
        check("module-on", day, soon, None);
        check("module-none", day, soon, Some(("unknown_module", "/moduleName")));
        check("module-off", day, soon, Some(("org_off", "/moduleName")));
        check("module-on", "2024-06-01T00:00:00Z", soon, Some(("too_old", "/occurredAt")));
        check("module-on", "2024-08-01T00:00:00Z", soon, Some(("in_future", "/occurredAt")));
        // The time of the id must lie within the window too.
        check("module-on", "2024-10-01T00:00:00Z", "2024-10-01T00:00:00Z", Some(("too_old", "/id")));
        check("module-on", "2024-07-09T00:00:00Z", "2024-07-09T00:00:00Z", Some(("in_future", "/id")));
    }

    #[test]
    fn what_was_refused_already_keeps_its_reason() {
        let refusal = Refusal::new("malformed", "", "why");
        let mut item = Item { sender: Sender::default(), event: Err(refusal), raw: String::new() };
        item.judge(&States::new(Vec::new(), &BTreeSet::new()), at("2026-11-02T00:00:00Z"), 35);
        assert_eq!(item.event.unwrap_err().reason, "malformed");
    }

    #[test]
    fn a_refusal_tells_every_error_with_its_place() {
        let errors = vec![FieldError::new("/id", "is wrong"), FieldError::new("", "is too large")];
        assert_eq!(Refusal { reason: "invalid", errors }.detail(), "/id is wrong; is too large");
    }
}
