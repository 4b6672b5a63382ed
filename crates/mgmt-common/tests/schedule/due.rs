//! `due` and its fast walk, against the naive walk of `oracle`.

use jiff::Timestamp;
use mgmt_common::schedule::config::WarmingConfig;
use proptest::prelude::*;

use crate::oracle::{Plan, WallClock};
use crate::rules::check;

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn minutes_of(due: impl Iterator<Item = Timestamp>) -> Vec<i64> {
    due.map(|instant| instant.as_second() / 60).collect()
}

#[test]
fn dst_gaps_are_never_due_and_overlaps_are_due_twice() {
    let check = |zone: &str, range: (u16, u16), from: &str, expected: &[&str]| {
        let config = Plan::same(zone, 30, range, 7).config();
        let found = config.next_due(instant(from), expected.len());
        let expected: Vec<Timestamp> = expected.iter().map(|text| instant(text)).collect();
        assert_eq!(found, expected, "{zone} from {from}");
        for due in &expected {
            assert!(config.due(*due), "{zone} at {due}");
        }
    };
    // 02:30 does not exist on 2026-03-08: the next one is a day later.
    check("America/New_York", (150, 151), "2026-03-08T00:00:00Z", &["2026-03-09T06:30:00Z"]);
    // 01:30 exists twice on 2026-11-01.
    let twice = ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2026-11-02T06:30:00Z"];
    check("America/New_York", (90, 91), "2026-11-01T00:00:00Z", &twice);
    // Half an hour: 02:00 to 02:30 is skipped on 2026-10-04, 01:30 to 02:00 is repeated on 2026-04-05.
    check("Australia/Lord_Howe", (120, 121), "2026-10-03T15:00:00Z", &["2026-10-04T15:00:00Z"]);
    let twice = ["2026-04-04T14:30:00Z", "2026-04-04T15:00:00Z", "2026-04-05T15:00:00Z"];
    check("Australia/Lord_Howe", (90, 91), "2026-04-04T00:00:00Z", &twice);
    // A whole local day was skipped when Samoa crossed the date line: there was no 2011-12-30.
    check("Pacific/Apia", (720, 721), "2011-12-29T23:00:00Z", &["2011-12-30T22:00:00Z"]);
}

#[test]
fn the_walk_begins_at_the_next_whole_minute() {
    let config = Plan::same("UTC", 1, (0, 1440), 7).config();
    let check = |from: &str, first: &str| assert_eq!(config.next_due(instant(from), 1), [instant(first)], "{from}");
    check("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z");
    check("2026-11-23T10:00:00.000000001Z", "2026-11-23T10:01:00Z");
    check("2026-11-23T10:00:01Z", "2026-11-23T10:01:00Z");
    check("1969-12-31T23:58:59.5Z", "1969-12-31T23:59:00Z");
}

#[test]
fn a_disabled_or_empty_schedule_is_never_due() {
    let mut disabled = Plan::same("UTC", 1, (0, 1440), 7).json();
    disabled["enabled"] = false.into();
    let empty = Plan::same("UTC", 1, (0, 1440), 0).json();
    for value in [disabled, empty] {
        let config = WarmingConfig::parse(&value).unwrap();
        assert!(!config.is_active());
        assert!(!config.due(instant("2026-11-23T10:00:00Z")));
        assert_eq!(config.next_due(instant("2026-11-23T10:00:00Z"), 5), []);
    }
}

#[test]
fn the_walk_ends_with_the_calendar() {
    let config = Plan::same("America/New_York", 1440, (0, 1), 1).config();
    assert!(config.next_due(Timestamp::MAX, 3).is_empty());
    assert!(config.next_due(Timestamp::MIN, 3).len() == 3);
}

#[test]
fn in_unusual_zones_due_and_rules_equal_the_naive_walk_over_a_year() {
    for zone in [
        "Australia/Adelaide",
        "Pacific/Chatham",
        "Pacific/Marquesas",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "Africa/El_Aaiun",
        "Antarctica/Troll",
        "America/Scoresbysund",
        "America/New_York",
        "Europe/Dublin",
    ] {
        let (from, until) = (instant("2026-01-01T00:00:00Z"), instant("2027-01-01T00:00:00Z"));
        let clock = WallClock::read(zone, from, until);
        for plan in [Plan::office_hours(zone, 7), Plan::same(zone, 45, (22 * 60, 6 * 60), 7)] {
            let config = plan.config();
            let found = minutes_of(config.due_from(from).take_while(|due| *due < until));
            assert_eq!(found, clock.due(&plan).collect::<Vec<_>>(), "{plan:?}");
            check(&plan, from, &clock);
        }
    }
}

pub(crate) fn plans() -> impl Strategy<Value = Plan> {
    let zones: Vec<&str> = mgmt_common::schedule::zone::names().collect();
    let range = (0..1440_u16, 0..1440_u16).prop_filter("start is not end", |(start, end)| start != end);
    let day = prop_oneof![2 => Just(Vec::new()), 3 => prop::collection::vec(range, 1..4)];
    let interval = prop_oneof![1 => 1..=1440_u16, 4 => prop::sample::select(vec![1, 2, 5, 7, 10, 15, 30, 45, 60])];
    (prop::sample::select(zones), interval, prop::array::uniform7(day)).prop_map(|(zone, interval, days)| Plan {
        zone: zone.to_owned(),
        interval,
        days,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn due_equals_the_naive_walk(plan in plans(), day in 0..366_i64 * 60) {
        let from = instant("1990-01-01T00:00:00Z").as_second() + day * 86_400;
        let (from, until) =
            (Timestamp::from_second(from).unwrap(), Timestamp::from_second(from + 21 * 86_400).unwrap());
        let clock = WallClock::read(&plan.zone, from, until);
        let expected: Vec<i64> = clock.due(&plan).collect();
        let config = plan.config();
        prop_assert_eq!(&minutes_of(config.due_from(from).take_while(|due| *due < until)), &expected);
        let mut asked = Vec::new();
        for minute in from.as_second() / 60..until.as_second() / 60 {
            if config.due(Timestamp::from_second(minute * 60 + minute % 60).unwrap()) {
                asked.push(minute);
            }
        }
        prop_assert_eq!(asked, expected);
    }

    #[test]
    fn the_order_of_ranges_does_not_matter(plan in plans(), seed in any::<prop::sample::Index>()) {
        let mut other = plan.clone();
        for day in &mut other.days {
            if !day.is_empty() {
                let middle = seed.index(day.len());
                day.rotate_left(middle);
                // A duplicate adds nothing either.
                day.push(day[0]);
            }
        }
        let (plan, other) = (plan.config(), other.config());
        prop_assert_eq!(plan.local_grid(), other.local_grid());
    }
}
