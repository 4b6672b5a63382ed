//! A second implementation of the schedule's meaning, as plain as can be: it walks real time minute by minute, reads the
//! wall clock, and looks at the ranges. It shares no code with the product beyond the zone database.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use mgmt_common::schedule::config::WarmingConfig;
use serde_json::{Value, json};

/// A schedule as a test writes it: ranges in minutes after midnight per day (Monday first), `start > end` wraps.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) zone: String,
    pub(crate) interval: u16,
    pub(crate) days: [Vec<(u16, u16)>; 7],
}

pub(crate) const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl Plan {
    /// The same ranges on Monday to Friday, or on all seven days.
    pub(crate) fn same(zone: &str, interval: u16, range: (u16, u16), days: usize) -> Self {
        let days = std::array::from_fn(|day| if day < days { vec![range] } else { Vec::new() });
        Self { zone: zone.to_owned(), interval, days }
    }

    pub(crate) fn office_hours(zone: &str, interval: u16) -> Self {
        Self::same(zone, interval, (9 * 60, 17 * 60), 5)
    }

    pub(crate) fn json(&self) -> Value {
        let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let day = |ranges: &Vec<(u16, u16)>| {
            let ranges: Vec<Value> =
                ranges.iter().map(|(start, end)| json!({"start": time(*start), "end": time(*end)})).collect();
            json!({"enabled": true, "ranges": ranges})
        };
        let week: serde_json::Map<String, Value> =
            DAYS.iter().zip(&self.days).map(|(name, ranges)| ((*name).to_owned(), day(ranges))).collect();
        json!({"enabled": true, "timezone": self.zone, "interval_minutes": self.interval, "weekly_schedule": week})
    }

    pub(crate) fn config(&self) -> WarmingConfig {
        WarmingConfig::parse(&self.json()).unwrap_or_else(|errors| panic!("{self:?}: {errors:?}"))
    }

    /// Whether the wall-clock minute (day of the week, minute of the day) is due.
    fn is_due(&self, day: usize, minute: u16) -> bool {
        let hits = |ranges: &[(u16, u16)], minute: u16| {
            ranges.iter().any(|(start, end)| {
                let end = if start > end { end + 1440 } else { *end };
                (*start..end).contains(&minute) && (minute - start).is_multiple_of(self.interval)
            })
        };
        // Today's ranges, and what yesterday's left over after midnight.
        hits(&self.days[day], minute) || hits(&self.days[(day + 6) % 7], minute + 1440)
    }

    /// For each minute of the local week whether it is due; computed once because the walks ask millions of times.
    fn table(&self) -> Vec<bool> {
        (0..7).flat_map(|day| (0..1440).map(move |minute| (day, minute))).map(|(d, m)| self.is_due(d, m)).collect()
    }
}

/// The wall clock of a zone for every minute of a stretch of real time, as minutes of the local week.
pub(crate) struct WallClock {
    pub(crate) from: i64,
    pub(crate) minutes: Vec<u16>,
}

impl WallClock {
    /// Asks the zone at every whole quarter of an hour, and at every minute of a quarter in which the offset changes.
    pub(crate) fn read(zone: &str, from: Timestamp, until: Timestamp) -> Self {
        let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
        let (from, until) = (from.as_second() / 60, until.as_second() / 60);
        let offset = |minute: i64| zone_offset(&zone, minute);
        let mut minutes = Vec::with_capacity((until - from) as usize);
        let mut quarter = from;
        while quarter < until {
            let next = (quarter + 15).min(until);
            let (here, there) = (offset(quarter), offset(next));
            for minute in quarter..next {
                let offset = if here == there { here } else { offset(minute) };
                // 1970-01-01 was a Thursday: three days after a Monday.
                minutes.push((minute + offset + 3 * 1440).rem_euclid(10_080) as u16);
            }
            quarter = next;
        }
        Self { from, minutes }
    }

    /// Every due minute of the stretch, in minutes since the epoch.
    pub(crate) fn due<'a>(&'a self, plan: &Plan) -> impl Iterator<Item = i64> + 'a {
        let table = plan.table();
        (self.from..).zip(&self.minutes).filter(move |(_, local)| table[usize::from(**local)]).map(|(minute, _)| minute)
    }
}

fn zone_offset(zone: &TimeZone, minute: i64) -> i64 {
    let offset = zone.to_offset(Timestamp::from_second(minute * 60).unwrap()).seconds();
    assert_eq!(offset % 60, 0, "no zone has seconds in its offset since 1980");
    i64::from(offset / 60)
}

/// Reads our own weekly rules with a parser that knows nothing but `*`, values, ranges, steps and lists, refuses anything
/// else, and answers the fired minutes of the UTC week (Monday 00:00 = 0) with how often each is fired.
pub(crate) fn fired_per_minute(rules: &[String]) -> Vec<u8> {
    let mut fired = vec![0; 10_080];
    for rule in rules {
        assert!(rule.len() <= 256, "too long: {rule}");
        let fields: Vec<&str> = rule.strip_prefix("cron(").unwrap().strip_suffix(')').unwrap().split(' ').collect();
        let [minutes, hours, "?", "*", weekdays, "*"] = fields[..] else { panic!("not a weekly rule: {rule}") };
        let (minutes, hours) = (numbers(minutes, 0, 59), numbers(hours, 0, 23));
        let names = ["", "SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
        let by_number = (1..=7).fold(weekdays.to_owned(), |text, day| text.replace(names[day], &day.to_string()));
        for weekday in numbers(&by_number, 1, 7) {
            let day = (weekday + 5) % 7;
            for hour in &hours {
                for minute in &minutes {
                    fired[day * 1440 + hour * 60 + minute] += 1;
                }
            }
        }
    }
    fired
}

fn numbers(text: &str, first: usize, last: usize) -> Vec<usize> {
    if text == "*" {
        return (first..=last).collect();
    }
    let number = |text: &str| -> usize {
        let number = text.parse().unwrap_or_else(|_| panic!("not a number: {text}"));
        assert!((first..=last).contains(&number), "{number} is not from {first} to {last}");
        number
    };
    let mut all = Vec::new();
    for item in text.split(',') {
        if let Some((low, high)) = item.split_once('-') {
            assert!(number(low) < number(high), "a wrapping or empty range: {item}");
            all.extend(number(low)..=number(high));
        } else if let Some((low, step)) = item.split_once('/') {
            let step: usize = step.parse().unwrap();
            assert!((1..=last).contains(&step), "an illegal step: {item}");
            all.extend((number(low)..=last).step_by(step));
        } else {
            all.push(number(item));
        }
    }
    let mut distinct = all.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), all.len(), "a value twice: {text}");
    distinct
}
