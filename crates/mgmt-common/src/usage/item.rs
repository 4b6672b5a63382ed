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
