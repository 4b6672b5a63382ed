//! What compiled rules must hold, in every zone.

use jiff::Timestamp;
use mgmt_common::schedule::compile::{Compiled, HORIZON_DAYS, MAX_RULES, Widening, compile};
use mgmt_common::schedule::cron::CronExpression;
use proptest::prelude::*;

use crate::due::plans;
use crate::oracle::{Plan, WallClock, fired_per_minute};

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What [`check`] measured.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    pub(crate) rules: usize,
    /// Fired minutes of the week per due minute, in thousandths.
    pub(crate) ticks_per_mille: u32,
}

/// Asserts everything that must hold for one schedule compiled at one instant. `clock` covers the time over which the
/// rules must fire at every due minute.
pub(crate) fn check(plan: &Plan, at: Timestamp, clock: &WallClock) -> Figures {
    let compiled = compile(&plan.config(), at);
    let printed: Vec<String> = compiled.rules.iter().map(ToString::to_string).collect();
    assert!(printed.len() <= MAX_RULES, "{plan:?}: {} rules", printed.len());
    for (rule, text) in compiled.rules.iter().zip(&printed) {
        assert_eq!(CronExpression::parse(text).as_ref(), Ok(rule), "{plan:?}");
    }
    let fired = fired_per_minute(&printed);
    assert!(fired.iter().all(|times| *times <= 1), "{plan:?}: a minute is fired twice by {printed:?}");
    let ticks = fired.iter().filter(|times| **times == 1).count() as u32;
    assert_eq!(ticks, compiled.ticks_per_week, "{plan:?}");
    // 1970-01-01 was a Thursday: three days after a Monday.
    let missed = clock.due(plan).find(|minute| fired[(minute + 3 * 1440).rem_euclid(10_080) as usize] == 0);
    assert_eq!(missed, None, "{plan:?}: a due minute is not fired by {printed:?}");
    Figures { rules: printed.len(), ticks_per_mille: (ticks * 1000).checked_div(compiled.due_per_week).unwrap_or(0) }
}

pub(crate) fn horizon(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second() + HORIZON_DAYS * 86_400).unwrap()
}

fn compiled(plan: &Plan) -> Compiled {
    compile(&plan.config(), instant("2026-11-23T00:00:00Z"))
}

#[test]
fn the_rules_of_plain_schedules_are_what_a_person_would_write() {
    let check = |plan: Plan, expected: &[&str]| {
        let rules: Vec<String> = compiled(&plan).rules.iter().map(ToString::to_string).collect();
        assert_eq!(rules, expected, "{plan:?}");
    };
    check(Plan::same("UTC", 1, (0, 1440), 7), &["cron(* * ? * * *)"]);
    check(Plan::same("America/New_York", 1, (0, 1440), 7), &["cron(* * ? * * *)"]);
    check(Plan::same("Asia/Kathmandu", 5, (0, 1440), 7), &["cron(0/5 * ? * * *)"]);
    check(Plan::office_hours("UTC", 5), &["cron(0/5 9-16 ? * MON-FRI *)"]);
    check(Plan::office_hours("America/New_York", 5), &["cron(0/5 13-21 ? * MON-FRI *)"]);
    check(Plan::office_hours("UTC", 60), &["cron(0 9-16 ? * MON-FRI *)"]);
    check(Plan::same("UTC", 5, (0, 1440), 0), &[]);
    // Friday's night belongs to Friday and ends on Saturday.
    check(
        Plan::same("UTC", 30, (22 * 60, 6 * 60), 5),
        &["cron(0,30 22,23 ? * MON-FRI *)", "cron(0,30 0-5 ? * TUE-SAT *)"],
    );
}

/// The small twin of `sweep`: the bounds in every zone, and the walk over one week of the northern winter and one of the
/// summer, which between them show both offsets of a zone with daylight saving.
#[test]
fn office_hours_need_four_rules_at_most_in_every_zone() {
    let at = instant("2026-11-23T00:00:00Z");
    let weeks =
        [(at, instant("2026-12-01T00:00:00Z")), (instant("2027-07-01T00:00:00Z"), instant("2027-07-09T00:00:00Z"))];
    for zone in mgmt_common::schedule::zone::names() {
        let plan = Plan::office_hours(zone, 5);
        for (from, until) in weeks {
            let figures = check(&plan, at, &WallClock::read(zone, from, until));
            assert!(figures.rules <= 4, "{zone}: {} rules", figures.rules);
            assert!(figures.ticks_per_mille <= 1300, "{zone}: {} ticks per 1000 due minutes", figures.ticks_per_mille);
        }
    }
}

#[test]
fn a_disabled_schedule_compiles_like_an_enabled_one() {
    let plan = Plan::office_hours("Europe/Berlin", 5);
    let mut disabled = plan.json();
    disabled["enabled"] = false.into();
    let disabled = mgmt_common::schedule::config::WarmingConfig::parse(&disabled).unwrap();
    assert_eq!(compile(&disabled, instant("2026-11-23T00:00:00Z")), compiled(&plan));
}

#[test]
fn what_was_widened_is_said() {
    assert_eq!(compiled(&Plan::office_hours("Europe/Berlin", 5)).widening, Widening::None);
    // Every hour of every day has its own minutes, which no 20 rules can tell apart.
    let days = std::array::from_fn(|day| {
        (0..24_u16).map(|hour| (hour * 60, hour * 60 + (hour * 7 + day as u16 * 5) % 59 + 1)).collect()
    });
    let messy = compiled(&Plan { zone: "UTC".to_owned(), interval: 1, days });
    assert_ne!(messy.widening, Widening::None);
    assert!(messy.ticks_per_week > messy.needed_per_week);
}

#[test]
fn an_instant_at_either_end_of_the_calendar_compiles() {
    for at in [Timestamp::MIN, Timestamp::MAX] {
        assert!(!compile(&Plan::office_hours("Europe/Berlin", 5).config(), at).rules.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_rules_of_any_schedule_hold(plan in plans(), day in 0..365 * 20_i64) {
        let at = instant("2020-01-01T00:00:00Z").as_second() + day * 86_400;
        let at = Timestamp::from_second(at).unwrap();
        check(&plan, at, &WallClock::read(&plan.zone, at, horizon(at)));
    }
}

/// Four rules may cost three tenths more than what is due, and not more.
#[test]
fn rules_are_made_few_only_where_that_is_cheap() {
    let mut days: [Vec<(u16, u16)>; 7] = Default::default();
    days[3] = vec![(796, 532)];
    days[5] = vec![(1389, 420), (1060, 1209), (1356, 432)];
    let cheap = compiled(&Plan { zone: "GMT-0".into(), interval: 30, days });
    assert_eq!((cheap.rules.len(), cheap.due_per_week, cheap.needed_per_week, cheap.ticks_per_week), (4, 79, 79, 102));
    let dear = compiled(&Plan::office_hours("Australia/Adelaide", 7));
    assert_eq!((dear.rules.len(), dear.due_per_week, dear.needed_per_week, dear.ticks_per_week), (10, 345, 690, 690));
}
