//! Schedules that the tests save.

use serde_json::{Value, json};

/// New York office hours with the given ranges on every working day.
pub(crate) fn schedule(ranges: &[(&str, &str)]) -> Value {
    let ranges: Vec<Value> = ranges.iter().map(|(start, end)| json!({"start": start, "end": end})).collect();
    let open = json!({"enabled": true, "ranges": ranges});
    let closed = json!({"enabled": false, "ranges": []});
    json!({
        "enabled": true, "timezone": "America/New_York", "interval_minutes": 5,
        "weekly_schedule": {
            "monday": open, "tuesday": open, "wednesday": open, "thursday": open, "friday": open,
            "saturday": closed, "sunday": closed,
        },
        "lambda_functions": ["orders", {"name": "billing", "concurrency": 5, "qualifier": "live", "payload": "native"}],
        "include_modules": true,
    })
}

pub(crate) fn office() -> Value {
    schedule(&[("09:00", "17:00")])
}

/// A schedule in UTC whose rules can be told one by one: one per hour given, at minute 7 of it.
pub(crate) fn hours(hours: &[u8]) -> Value {
    let ranges: Vec<(String, String)> =
        hours.iter().map(|hour| (format!("{hour:02}:07"), format!("{hour:02}:08"))).collect();
    let ranges: Vec<(&str, &str)> = ranges.iter().map(|(start, end)| (start.as_str(), end.as_str())).collect();
    let mut value = schedule(&ranges);
    value["timezone"] = json!("UTC");
    value
}

/// The body of a PUT.
pub(crate) fn body(value: &Value) -> Value {
    json!({ "configValue": value })
}
