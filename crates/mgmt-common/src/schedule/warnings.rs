//! What a person should know before saving a schedule that is valid but may not be what they mean.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::compile::{Compiled, HORIZON_DAYS, Widening};
use super::config::WarmingConfig;
use super::due;
use super::functions::WarmFunction;
use super::zone::local_time;

/// One warning: `code` for programs, `message` for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct PreviewWarning {
    pub code: WarningCode,
    /// One sentence.
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub enum WarningCode {
    Disabled,
    EmptyWeek,
    NoTargets,
    IntervalLongerThanRange,
    SkippedByClockChange,
    RepeatedByClockChange,
    Widened,
}

/// Everything worth a warning at this instant.
pub(super) fn of(
    config: &WarmingConfig,
    functions: &[WarmFunction],
    compiled: &Compiled,
    at: Timestamp,
) -> Vec<PreviewWarning> {
    let mut found = Vec::new();
    let mut warn = |code, message: String| found.push(PreviewWarning { code, message });
    if !config.enabled() {
        warn(
            WarningCode::Disabled,
            "The schedule is disabled: its rules are kept DISABLED and nothing is pinged.".to_owned(),
        );
    }
    if config.local_grid().is_empty() {
        warn(WarningCode::EmptyWeek, "No day has a range, so nothing is ever due.".to_owned());
    }
    if functions.is_empty() {
        let modules =
            if config.include_modules() { "no module that is on wants one" } else { "modules are not included" };
        warn(WarningCode::NoTargets, format!("No function is listed and {modules}: a ping has no target."));
    }
    let interval = config.interval_minutes();
    let short = config.week().ranges.iter().filter(|range| range.end - range.start < u32::from(interval)).count();
    if short > 0 {
        let message = format!(
            "{short} of the ranges are shorter than the interval of {interval} minutes: one ping each, at the start."
        );
        warn(WarningCode::IntervalLongerThanRange, message);
    }
    found.extend(clock_changes(config, at));
    if compiled.widening != Widening::None {
        let message = format!(
            "To keep to {} rules they fire {} times a week beyond what can be due; the warmer drops that.",
            compiled.rules.len(),
            compiled.ticks_per_week - compiled.needed_per_week,
        );
        found.push(PreviewWarning { code: WarningCode::Widened, message });
    }
    found
}

/// Pings that fall into an hour (or half, or day) that the zone skips or repeats within the horizon.
fn clock_changes(config: &WarmingConfig, at: Timestamp) -> Vec<PreviewWarning> {
    let zone = config.zone();
    let end = at.saturating_add(SignedDuration::from_hours(24 * HORIZON_DAYS)).unwrap_or(Timestamp::MAX);
    let mut found = Vec::new();
    let mut before = due::offset_minutes(zone, at);
    for change in zone.following(at).map(|change| change.timestamp()).take_while(|change| *change < end) {
        let after = due::offset_minutes(zone, change);
        let minute = due::floor_second(change).div_euclid(60);
        // Forward: the wall clock jumps from `before` to `after`. Back: it shows the minutes from `after` on once more.
        let (first, last) = (minute + before.min(after), minute + before.max(after));
        let pings = (first..last).filter(|local| config.local_grid().contains(due::minute_of_week(*local))).count();
        if pings > 0 {
            let (code, fate) = match after > before {
                true => (WarningCode::SkippedByClockChange, "do not take place"),
                false => (WarningCode::RepeatedByClockChange, "take place twice"),
            };
            let message = format!("{pings} pings {fate} at the clock change of {}.", local_time(change, zone));
            found.push(PreviewWarning { code, message });
        }
        before = after;
    }
    found
}
