//! Whether the ticks arrive. Rules can be right and still warm nothing: a missing Lambda permission, a wrong qualifier or a
//! broken queue policy shows only in runs that are not there.

use jiff::{SignedDuration, Timestamp};

use super::config::WarmingConfig;

/// How long a run may take to show up: EventBridge fires within the minute, and its target gives up after another.
const GRACE: SignedDuration = SignedDuration::from_mins(3);
/// Only the last hour counts, so that a pause which is over is no alarm.
const HORIZON: SignedDuration = SignedDuration::from_hours(1);

/// The newest due minute that has no run although it should have one by now; `None` when all is well or nothing was due.
///
/// `synced_at` is when the rules were last seen to follow this schedule: earlier minutes had other rules. `last_run` is the
/// newest tick that ran.
pub fn missed_tick(
    config: &WarmingConfig,
    synced_at: Timestamp,
    last_run: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    // A rule fires first at the minute after EventBridge saw it.
    let from = (synced_at + SignedDuration::from_mins(1)).max(now - HORIZON);
    let newest = config.due_from(from).take_while(|due| *due <= now - GRACE).last()?;
    last_run.is_none_or(|run| run < newest).then_some(newest)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;

    fn at(time: &str) -> Timestamp {
        format!("2026-11-23T{time}:00Z").parse().unwrap()
    }

    /// Due at 09:00, 09:05, … 09:55 UTC.
    fn config() -> WarmingConfig {
        let day = json!({"enabled": true, "ranges": [{"start": "09:00", "end": "10:00"}]});
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let week: Map<String, Value> = days.map(|name| (name.to_owned(), day.clone())).into_iter().collect();
        let value = json!({"enabled": true, "timezone": "UTC", "interval_minutes": 5, "weekly_schedule": week});
        WarmingConfig::parse(&value).unwrap()
    }

    #[test]
    fn a_due_minute_without_a_run_is_missed_after_the_grace() {
        let check = |now: &str, synced: &str, last_run: Option<&str>, missed: Option<&str>| {
            let found = missed_tick(&config(), at(synced), last_run.map(at), at(now));
            assert_eq!(found, missed.map(at), "at {now}, synced {synced}, last run {last_run:?}");
        };
        check("09:13", "08:00", Some("09:10"), None);
        check("09:12", "08:00", Some("09:05"), None);
        check("09:13", "08:00", Some("09:05"), Some("09:10"));
        check("09:13", "08:00", None, Some("09:10"));
        // Rules that were synced at 09:08 had their first tick at 09:10.
        check("09:12", "09:08", None, None);
        check("09:14", "09:08", None, Some("09:10"));
        // Outside the week's ranges, and an hour after them, nothing is missed.
        check("08:59", "08:00", None, None);
        check("11:00", "08:00", None, None);
    }

    #[test]
    fn only_the_last_hour_counts_its_first_minute_included() {
        let missed = |now: &str| missed_tick(&config(), at("08:00"), None, at(now));
        assert_eq!(missed("10:55"), Some(at("09:55")));
        assert_eq!(missed("10:56"), None);
    }
}
