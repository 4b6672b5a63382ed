//! Events that the tests send.

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The same all through a test run: ids must not change while a test sends them again.
static NOW: LazyLock<Timestamp> = LazyLock::new(Timestamp::now);

/// A UUIDv7 of some time ago; the same number and time make the same id.
pub(crate) fn id(number: u64, ago: SignedDuration) -> String {
    let ms = NOW.checked_sub(ago).unwrap().as_millisecond();
    id_at(number, ms)
}

pub(crate) fn id_at(number: u64, ms: i64) -> String {
    let ms = format!("{ms:012x}");
    format!("{}-{}-7000-8000-{number:012x}", &ms[..8], &ms[8..])
}

/// A use of module-ai with an id of an hour ago.
pub(crate) fn event(number: u64) -> Value {
    json!({
        "id": id(number, SignedDuration::from_hours(1)), "moduleName": "module-ai", "eventType": "api_call", "status": "success",
        "durationMs": 10,
    })
}

pub(crate) fn with(mut event: Value, field: &str, value: impl Into<Value>) -> Value {
    event[field] = value.into();
    event
}

pub(crate) fn message(org: &str, user: &str, event: &Value) -> String {
    json!({"orgId": org, "userId": user, "event": event}).to_string()
}

pub(crate) fn now_ms() -> u64 {
    Timestamp::now().as_millisecond().try_into().unwrap()
}

pub(crate) fn ago(hours: i64) -> String {
    Timestamp::now().checked_sub(SignedDuration::from_hours(hours)).unwrap().to_string()
}
