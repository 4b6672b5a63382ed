//! The whole sweep: every zone, every pattern, every interval, and 20 years of rules. Run it with `scripts/sweep`.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mgmt_common::schedule::compile::compile;
use mgmt_common::schedule::zone;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::due::plans;
use crate::oracle::{Plan, WallClock};
use crate::rules::{Figures, check, horizon};

const INTERVALS: [u16; 6] = [1, 5, 7, 15, 45, 60];
const RANDOM_SCHEDULES: usize = 2000;

/// Name, range in minutes, days of the week.
const PATTERNS: [(&str, (u16, u16), usize); 4] = [
    ("09:00-17:00 Mon-Fri", (540, 1020), 5),
    ("09:30-17:15 Mon-Fri", (570, 1035), 5),
    ("22:00-06:00", (1320, 360), 7),
    ("00:00-24:00", (0, 1440), 7),
];

#[test]
#[ignore = "minutes of work in a release build: scripts/sweep"]
fn every_zone_pattern_and_interval_and_random_schedules_hold_over_a_year() {
    let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut worst: BTreeMap<String, Worst> = BTreeMap::new();
    let zones: Vec<&str> = zone::names().collect();
    for (done, zone) in zones.iter().enumerate() {
        progress("zones", done + 1, zones.len());
        let clock = WallClock::read(zone, at, horizon(at));
        for ((name, range, days), interval) in
            PATTERNS.iter().flat_map(|pattern| INTERVALS.map(|interval| (*pattern, interval)))
        {
            let plan = Plan::same(zone, interval, range, days);
            assert_due_equals_walk(&plan, &clock, at);
            let figures = check(&plan, at, &clock);
            if name == PATTERNS[0].0 && interval == 5 {
                assert!(figures.rules <= 4, "{zone}: {figures:?}");
                assert!(figures.ticks_per_mille <= 1300, "{zone}: {figures:?}");
            }
            worst.entry(format!("{name} every {interval:2}")).or_default().add(figures, zone);
        }
    }
    let seed = Config { rng_seed: RngSeed::Fixed(20_261_123), failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(seed);
    let mut slowest = Duration::ZERO;
    for done in 0..RANDOM_SCHEDULES {
        progress("random schedules", done + 1, RANDOM_SCHEDULES);
        let plan = plans().new_tree(&mut runner).unwrap().current();
        let clock = WallClock::read(&plan.zone, at, horizon(at));
        assert_due_equals_walk(&plan, &clock, at);
        let config = plan.config();
        let start = Instant::now();
        compile(&config, at);
        slowest = slowest.max(start.elapsed());
        worst.entry("random".to_owned()).or_default().add(check(&plan, at, &clock), &plan.zone);
    }
    println!(
        "\n{:28} {:>9}  {:22} {:>14} {:>13}  zone",
        "schedule", "max rules", "zone", "mean ticks/due", "max ticks/due"
    );
    for (name, worst) in &worst {
        let (rules, ticks, mean) = (&worst.rules, &worst.ticks, worst.all_ticks / worst.count);
        let [mean, most] = [mean as f64 / 1000.0, f64::from(ticks.0) / 1000.0];
        println!("{name:28} {:9}  {:22} {mean:14.3} {most:13.3}  {}", rules.0, rules.1, ticks.1);
    }
    println!("slowest compile of a random schedule: {slowest:?}");
}

#[test]
#[ignore = "minutes of work in a release build: scripts/sweep"]
fn rules_recompiled_yearly_and_the_filter_equal_a_brute_force_walk_from_2020_to_2040() {
    let zones: Vec<&str> = zone::names().collect();
    for (done, zone) in zones.iter().enumerate() {
        progress("zones, 2020-2040", done + 1, zones.len());
        for year in 2020..2040 {
            let begin = |year: i32| -> Timestamp { format!("{year}-01-01T00:00:00Z").parse().unwrap() };
            let clock = WallClock::read(zone, begin(year), begin(year + 1));
            for plan in [Plan::office_hours(zone, 5), Plan::same(zone, 15, (1320, 360), 7)] {
                assert_due_equals_walk(&plan, &clock, begin(year));
                check(&plan, begin(year), &clock);
            }
        }
    }
}

fn assert_due_equals_walk(plan: &Plan, clock: &WallClock, from: Timestamp) {
    let config = plan.config();
    let end = clock.from + clock.minutes.len() as i64;
    let found = config.due_from(from).map(|due| due.as_second() / 60).take_while(|minute| *minute < end);
    assert!(found.eq(clock.due(plan)), "{plan:?}: due differs from the naive walk");
}

#[derive(Default)]
struct Worst {
    rules: (usize, String),
    ticks: (u32, String),
    all_ticks: u64,
    count: u64,
}

impl Worst {
    fn add(&mut self, figures: Figures, zone: &str) {
        self.all_ticks += u64::from(figures.ticks_per_mille);
        self.count += 1;
        if figures.rules > self.rules.0 {
            self.rules = (figures.rules, zone.to_owned());
        }
        if figures.ticks_per_mille > self.ticks.0 {
            self.ticks = (figures.ticks_per_mille, zone.to_owned());
        }
    }
}

/// One line that is written over, for whoever waits.
#[expect(clippy::print_stderr, reason = "a run of minutes shows that it is alive")]
fn progress(what: &str, done: usize, all: usize) {
    if done.is_multiple_of(20) || done == all {
        eprint!("\r{what}: {done} of {all}   ");
        if done == all {
            eprintln!();
        }
        std::io::stderr().flush().unwrap();
    }
}
