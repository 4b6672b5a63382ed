//! The preview of an unsaved schedule.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mgmt_common::schedule::config::WarmingConfig;
use mgmt_common::schedule::functions::parse_list;
use mgmt_common::schedule::name::Namespace;
use mgmt_common::schedule::preview::{Preview, PreviewInput, preview};
use mgmt_common::schedule::warnings::WarningCode;
use serde_json::{Value, json};

use crate::oracle::Plan;

fn preview_of(value: &Value, at: &str) -> Preview {
    let config = WarmingConfig::parse(value).unwrap();
    // What a module wants warm.
    let of_modules = parse_list(&json!(["fn"]), "").unwrap();
    let listed = config.functions();
    let functions = if listed.is_empty() && config.include_modules() { &of_modules } else { listed };
    let input = PreviewInput {
        namespace: &Namespace::parse("shop", "prod").unwrap(),
        at: at.parse::<Timestamp>().unwrap(),
        functions,
        memory_mb: &BTreeMap::from([("fn".to_owned(), 512)]),
        billed_ms_per_ping: 600,
    };
    preview(&config, &input)
}

#[test]
fn office_hours_show_rules_pings_and_cost() {
    let mut value = Plan::office_hours("America/New_York", 5).json();
    value["lambda_functions"] = json!(["fn", {"name": "other", "concurrency": 9}]);
    // A Monday, the day after the clocks went back.
    let preview = preview_of(&value, "2026-11-02T00:00:00Z");

    assert_eq!(preview.rules.len(), 1);
    assert_eq!(preview.rules[0].expression, "cron(0/5 13-21 ? * MON-FRI *)");
    assert!(preview.rules[0].name.starts_with("shop.prod.warm."));
    assert_eq!(preview.next_pings.len(), 20);
    assert_eq!(preview.next_pings[0].utc, "2026-11-02T14:00:00Z");
    assert_eq!(preview.next_pings[0].local, "2026-11-02T09:00:00-05:00");
    let ticks = &preview.ticks;
    assert_eq!((ticks.fired_per_week, ticks.due_per_week, ticks.dropped_per_week), (540, 480, 60));
    // 30 days from Monday on hold 22 working days of 96 pings.
    assert_eq!(ticks.due_per_month, 22 * 96);
    assert_eq!(preview.pings_per_month, 22 * 96 * 10);
    assert_eq!(preview.cost.unpriced_functions, ["other"]);
    assert!(preview.cost.warming_usd < preview.cost.provisioned_in_ranges_usd);
    assert_eq!(preview.warnings, []);

    let json = serde_json::to_value(&preview).unwrap();
    assert_eq!(json["ticks"]["droppedPerWeek"], 60);
    assert_eq!(json["ticks"]["widening"], "none");
    assert_eq!(json["nextPings"][0]["utc"], "2026-11-02T14:00:00Z");
}

#[test]
fn what_may_not_be_meant_is_warned_about() {
    let check = |value: &Value, expected: &[WarningCode]| {
        let preview = preview_of(value, "2026-11-23T00:00:00Z");
        let codes: Vec<WarningCode> = preview.warnings.iter().map(|warning| warning.code).collect();
        assert_eq!(codes, expected, "{:?}", preview.warnings);
    };
    let night = Plan::same("America/New_York", 30, (60, 180), 7).json();
    check(&night, &[WarningCode::SkippedByClockChange, WarningCode::RepeatedByClockChange]);
    check(&Plan::same("UTC", 60, (60, 90), 7).json(), &[WarningCode::IntervalLongerThanRange]);
    check(&Plan::same("UTC", 60, (60, 120), 7).json(), &[]);
    check(&Plan::same("UTC", 60, (60, 120), 0).json(), &[WarningCode::EmptyWeek]);

    let mut off = Plan::office_hours("UTC", 5).json();
    off["enabled"] = json!(false);
    off["include_modules"] = json!(false);
    check(&off, &[WarningCode::Disabled, WarningCode::NoTargets]);
    let preview = preview_of(&off, "2026-11-23T00:00:00Z");
    assert_eq!((preview.rules.len(), preview.next_pings.len(), preview.pings_per_month), (1, 0, 0));
}

#[test]
fn pings_in_a_clock_change_are_counted() {
    let preview = preview_of(&Plan::same("America/New_York", 30, (60, 180), 7).json(), "2026-11-23T00:00:00Z");
    let messages: Vec<&str> = preview.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "2 pings do not take place at the clock change of 2027-03-14T03:00:00-04:00.",
            "2 pings take place twice at the clock change of 2027-11-07T01:00:00-05:00.",
        ]
    );
}

#[test]
fn a_month_is_thirty_days_whose_last_instant_is_the_next_months() {
    // Due at midnight of each day.
    let daily = Plan::same("UTC", 1440, (0, 1440), 7).json();
    let preview = preview_of(&daily, "2026-11-23T00:00:00Z");
    assert_eq!((preview.ticks.due_per_month, preview.pings_per_month), (30, 30));
    assert_eq!(preview_of(&daily, "2026-11-23T00:00:01Z").ticks.due_per_month, 30);
}

#[test]
fn the_cost_is_that_of_the_open_minutes_of_an_average_month() {
    let mut office = Plan::office_hours("UTC", 5).json();
    let in_ranges = |value: &Value| preview_of(value, "2026-11-23T00:00:00Z").cost.provisioned_in_ranges_usd;
    // Half a GB for 2,400 minutes a week, of which a month of 30 days has 4.28.
    assert_eq!(in_ranges(&office), 1.285_725);
    office["enabled"] = json!(false);
    assert_eq!(in_ranges(&office), 0.0);
}

#[test]
fn clock_changes_of_the_next_400_days_are_warned_about_without_the_last_instant() {
    let night = Plan::same("America/New_York", 30, (60, 180), 7).json();
    // The clocks change on 2026-03-08, 2026-11-01 and 2027-03-14T07:00Z, which is 400 days after the first instant.
    let check = |at: &str, expected: usize| assert_eq!(preview_of(&night, at).warnings.len(), expected, "{at}");
    check("2026-02-07T07:00:00Z", 2);
    check("2026-02-07T07:00:01Z", 3);
}

#[test]
fn a_warning_counts_what_it_is_about() {
    let messages = |value: &Value| -> Vec<String> {
        preview_of(value, "2026-11-23T00:00:00Z").warnings.into_iter().map(|warning| warning.message).collect()
    };
    let day = |ranges: &[(u16, u16)]| ranges.to_vec();
    let short = Plan {
        zone: "UTC".to_owned(),
        interval: 60,
        days: [
            day(&[(60, 119), (180, 240)]),
            day(&[(0, 61)]),
            day(&[(1439, 58)]),
            day(&[]),
            day(&[(600, 601)]),
            day(&[]),
            day(&[]),
        ],
    };
    assert_eq!(
        messages(&short.json()),
        ["3 of the ranges are shorter than the interval of 60 minutes: one ping each, at the start."]
    );
    // Every hour has its own minutes, which no 20 rules can tell apart.
    let days = std::array::from_fn(|day| {
        (0..24_u16).map(|hour| (hour * 60, hour * 60 + (hour * 7 + day as u16 * 5) % 59 + 1)).collect()
    });
    let messy = Plan { zone: "UTC".to_owned(), interval: 1, days };
    let told = messages(&messy.json());
    let compiled = mgmt_common::schedule::compile::compile(&messy.config(), "2026-11-23T00:00:00Z".parse().unwrap());
    let beyond = compiled.ticks_per_week - compiled.needed_per_week;
    let expected = format!(
        "To keep to {} rules they fire {beyond} times a week beyond what can be due; the warmer drops that.",
        compiled.rules.len()
    );
    assert_eq!(told, [expected]);
}
