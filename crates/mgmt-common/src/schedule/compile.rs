//! From a weekly schedule in local time to EventBridge rules in UTC.
//!
//! A rule knows only UTC, and an offset change in between would make it wrong on one side. So the rules fire at the union
//! over every offset the zone uses in the next [`HORIZON_DAYS`], and the warmer drops a tick that is not due in local
//! time. Warming is then exact on both sides of every change without a sync at that moment.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::config::WarmingConfig;
use super::cover::{self, Limits, MinuteBox};
use super::cron::CronExpression;
use super::due;
use super::grid::WeekGrid;

/// How long compiled rules stay right: a year and the slack to notice that nothing recompiled them.
pub const HORIZON_DAYS: i64 = 400;

/// The most rules one schedule may take of the 300 (in some Regions 100) that share the bus.
pub const MAX_RULES: usize = 20;

/// Few enough rules to be worth some ticks that the warmer drops. Office hours get there in every zone.
const WANTED_RULES: usize = 4;

/// What few rules may cost: so many percent of the due minutes of the week fired in all.
const BUDGET_PERCENT: u32 = 130;

/// The rules of a schedule, and what they cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// Sorted and deterministic; empty for a week without due minutes. No minute is fired by two of them.
    pub rules: Vec<CronExpression>,
    /// Due minutes in a local week without an offset change.
    pub due_per_week: u32,
    /// Minutes of the UTC week that are due under at least one offset of the horizon.
    pub needed_per_week: u32,
    /// Minutes of the UTC week that the rules fire. Never less than `needed_per_week`.
    pub ticks_per_week: u32,
    /// What was given up to keep the rules few.
    pub widening: Widening,
    /// The zone's offsets within the horizon, in minutes ahead of UTC, sorted.
    pub offsets: Vec<i32>,
}

/// How far the rules go beyond the minutes that can be due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub enum Widening {
    /// Not at all.
    None,
    /// More minutes in hours that have due minutes.
    Minutes,
    /// Hours without any due minute, on days that have some.
    Hours,
    /// Days without any due minute.
    Days,
}

/// Compiles the schedule for the horizon that begins at `at`, whether or not it is enabled: a disabled schedule keeps
/// its rules, in state DISABLED.
pub fn compile(config: &WarmingConfig, at: Timestamp) -> Compiled {
    let local = config.local_grid();
    let offsets = offsets_in_horizon(config, at);
    let mut needed = WeekGrid::default();
    for offset in &offsets {
        needed.add_shifted_to_utc(local, *offset);
    }
    let due_per_week = local.count();
    let boxes = cover::cover(
        &needed,
        Limits { most_boxes: MAX_RULES, wanted_boxes: WANTED_RULES, budget: due_per_week * BUDGET_PERCENT / 100 },
    );
    Compiled {
        rules: boxes.iter().filter_map(|one| expression(*one)).collect(),
        due_per_week,
        needed_per_week: needed.count(),
        ticks_per_week: cover::ticks(&boxes),
        widening: widening(&boxes, &needed),
        offsets,
    }
}

fn offsets_in_horizon(config: &WarmingConfig, at: Timestamp) -> Vec<i32> {
    let end = at.saturating_add(SignedDuration::from_hours(24 * HORIZON_DAYS)).unwrap_or(Timestamp::MAX);
    let changes = config.zone().following(at).map(|change| change.timestamp()).take_while(|change| *change <= end);
    let instants = std::iter::once(at).chain(changes);
    let offsets: BTreeSet<i32> = instants.map(|instant| due::offset_minutes(config.zone(), instant) as i32).collect();
    offsets.into_iter().collect()
}

/// A box has no empty side, so it always has an expression.
fn expression(one: MinuteBox) -> Option<CronExpression> {
    // From bit 0 = Monday to bit 0 = Sunday.
    let from_sunday = (one.days << 1 | one.days >> 6) & 0x7f;
    CronExpression::weekly(one.minutes, one.hours, from_sunday)
}

fn widening(boxes: &[MinuteBox], needed: &WeekGrid) -> Widening {
    let hour_of = |day: usize, hour: usize| needed.hour(24 * day + hour);
    let mut widest = Widening::None;
    for one in boxes {
        for day in (0..7).filter(|day| one.days >> day & 1 == 1) {
            for hour in (0..24).filter(|hour| one.hours >> hour & 1 == 1) {
                let level = match hour_of(day, hour) {
                    0 if (0..24).all(|hour| hour_of(day, hour) == 0) => Widening::Days,
                    0 => Widening::Hours,
                    minutes if one.minutes & !minutes != 0 => Widening::Minutes,
                    _ => Widening::None,
                };
                widest = widest.max(level);
            }
        }
    }
    widest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widening_is_the_furthest_that_any_box_goes() {
        // Needed: the full hour at 09:00 and 10:00 on Monday, and at 11:00 on Sunday.
        let mut needed = WeekGrid::default();
        [9 * 60, 10 * 60, 6 * 1440 + 11 * 60].into_iter().for_each(|minute| needed.insert(minute));
        let check = |boxes: &[(u8, u32, u64)], expected: Widening| {
            let boxes: Vec<MinuteBox> =
                boxes.iter().map(|&(days, hours, minutes)| MinuteBox { days, hours, minutes }).collect();
            assert_eq!(widening(&boxes, &needed), expected, "{boxes:?}");
        };
        let exact = [(1, 3 << 9, 1), (1 << 6, 1 << 11, 1)];
        check(&[], Widening::None);
        check(&exact, Widening::None);
        check(&[exact[0], (1 << 6, 1 << 11, 3)], Widening::Minutes);
        check(&[(1, 3 << 9, 1 << 59), exact[1]], Widening::Minutes);
        check(&[(1, 7 << 9, 1), exact[1]], Widening::Hours);
        check(&[exact[0], (1 << 6, 1 << 9, 1)], Widening::Hours);
        check(&[(3, 3 << 9, 1), exact[1]], Widening::Days);
        check(&[exact[0], (1 << 5, 1 << 11, 1)], Widening::Days);
        // The order of the boxes does not matter.
        check(&[(1, 7 << 9, 1), (1 << 6, 1 << 11, 3)], Widening::Hours);
        check(&[(1 << 6, 1 << 11, 3), (1, 7 << 9, 1)], Widening::Hours);
    }

    #[test]
    fn the_offsets_are_those_of_the_next_400_days_the_last_instant_included() {
        let check = |zone: &str, at: &str, expected: &[i32]| {
            let config = serde_json::json!({
                "enabled": true, "timezone": zone, "interval_minutes": 5,
                "weekly_schedule": super::super::week::DAY_NAMES
                    .map(|day| (day.to_owned(), serde_json::json!({"enabled": false})))
                    .into_iter()
                    .collect::<serde_json::Map<_, _>>(),
            });
            let config = WarmingConfig::parse(&config).unwrap();
            assert_eq!(offsets_in_horizon(&config, at.parse().unwrap()), expected, "{zone} from {at}");
        };
        check("Asia/Kathmandu", "2026-01-01T00:00:00Z", &[345]);
        check("America/New_York", "2026-01-01T00:00:00Z", &[-300, -240]);
        // Samoa stopped changing its clocks on 2021-04-03T14:00Z, 400 days after the second instant; the offset before was +14.
        check("Pacific/Apia", "2020-02-28T14:00:00Z", &[780, 840]);
        check("Pacific/Apia", "2021-04-03T14:00:00Z", &[780]);
        // Volgograd moved from +4 to +3 on 2020-12-26T22:00Z.
        check("Europe/Volgograd", "2019-11-22T22:00:00Z", &[180, 240]);
        check("Europe/Volgograd", "2019-11-22T21:59:59Z", &[240]);
    }
}
