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
