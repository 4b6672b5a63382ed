//! The plan: tables of what is wanted and what is found, without any I/O.
#![cfg(feature = "schedule")]
#![expect(clippy::unwrap_used, reason = "the lint spares test functions, but not the helpers they share")]

use std::collections::BTreeMap;

use mgmt_common::rules::{
    ActualRule, ActualTarget, Adoption, Desired, DesiredRule, DesiredTarget, OWNER_TAG, PlanError, RuleState, plan,
};
use mgmt_common::schedule::name::Namespace;
use serde_json::{Value, json};

fn namespace() -> Namespace {
    Namespace::parse("app", "dev").unwrap()
}

fn rule(minute: usize) -> DesiredRule {
    let expression = format!("cron({minute} 9 ? * * *)");
    DesiredRule {
        name: namespace().rule_name(&expression.parse().unwrap()),
        expression,
        state: RuleState::Enabled,
        description: "Warms app in dev".to_owned(),
        target: DesiredTarget {
            id: "warmer".to_owned(),
            arn: "arn:warmer".to_owned(),
            input: Some("{}".to_owned()),
            dead_letter_arn: None,
        },
    }
}

fn wanted(minutes: impl IntoIterator<Item = usize>) -> Desired {
    Desired {
        namespace: namespace(),
        rules: minutes.into_iter().map(rule).collect(),
        config_version: 5,
        applied_version: Some(4),
        adoption: Adoption::None,
    }
}

fn found(rule: &DesiredRule) -> ActualRule {
    ActualRule {
        name: rule.name.clone(),
        arn: format!("arn:{}", rule.name),
        expression: Some(rule.expression.clone()),
        state: rule.state.as_str().to_owned(),
        description: Some(rule.description.clone()),
        targets: vec![ActualTarget {
            id: rule.target.id.clone(),
            arn: rule.target.arn.clone(),
            input: rule.target.input.clone(),
            max_age_seconds: Some(60),
            max_retries: Some(0),
            ..ActualTarget::default()
        }],
        tags: BTreeMap::from([(OWNER_TAG.to_owned(), "app.dev".to_owned())]),
        ..ActualRule::default()
    }
}

/// The names of the actions, in the order of the rules' names.
fn actions(desired: &Desired, actual: &[ActualRule]) -> Vec<&'static str> {
    plan(desired, actual).unwrap().rules.iter().map(|rule| rule.action.name()).collect()
}

#[test]
fn each_difference_between_wanted_and_found_has_its_action() {
    let check = |desired: &Desired, actual: &[ActualRule], expected: &[&str]| {
        assert_eq!(actions(desired, actual), expected);
    };
    let here = || found(&rule(1));
    check(&wanted([1]), &[], &["create"]);
    check(&wanted([1]), &[here()], &["unchanged"]);
    check(&wanted([1]), &[ActualRule { state: "DISABLED".to_owned(), ..here() }], &["update"]);
    check(&wanted([]), &[here()], &["disable"]);
    check(&wanted([]), &[ActualRule { state: "DISABLED".to_owned(), ..here() }], &["unchanged"]);
    let mut both = actions(&wanted([2]), &[here()]);
    both.sort_unstable();
    assert_eq!(both, ["create", "delete"]);
}

/// Faults, row 25.
#[test]
fn only_name_and_tag_together_make_a_rule_ours() {
    let check = |name: &str, tag: Option<&str>, managed_by: Option<&str>, expected: &str| {
        let tags = tag.map(|tag| (OWNER_TAG.to_owned(), tag.to_owned())).into_iter().collect();
        let managed_by = managed_by.map(str::to_owned);
        let actual = ActualRule { name: name.to_owned(), tags, managed_by, ..found(&rule(1)) };
        let plan = plan(&wanted([2]), &[actual]).unwrap();
        let planned = plan.rules.iter().find(|planned| planned.name == name).unwrap();
        assert_eq!(planned.action.name(), expected, "{name} {tag:?}");
    };
    check("app.dev.warm.0123456789abcdef", Some("app.dev"), None, "delete");
    check("app.dev.warm.0123456789abcdef", Some("app.dev2"), None, "foreign");
    check("app.dev.warm.0123456789abcdef", None, None, "foreign");
    check("app.dev.warm.0123456789abcdef", Some("app.dev"), Some("events.amazonaws.com"), "foreign");
    check("app.dev.warm.0123456789abcde", Some("app.dev"), None, "foreign");
    check("app.dev.warm.0123456789ABCDEF", Some("app.dev"), None, "foreign");
    check("app.dev2.warm.0123456789abcdef", Some("app.dev"), None, "foreign");
    check("app-dev2-warmer-pattern-1", Some("app.dev"), None, "foreign");
    check("app-dev-warmer-pattern-1", None, None, "old");
    check("app-dev-warmer-pattern-1x", None, None, "foreign");
    check(&rule(2).name, None, None, "conflict");
    check(&rule(2).name, Some("app.prod"), None, "conflict");
    check(&rule(2).name, Some("app.dev"), Some("events.amazonaws.com"), "conflict");
}

/// Faults, row 26.
#[test]
fn deletions_for_a_version_that_is_no_edit_are_capped() {
    // Of `owned` rules all but the first `kept` are to go.
    let check = |owned: usize, kept: usize, config_version: i64, applied: Option<i64>, refused: bool| {
        let actual: Vec<ActualRule> = (0..owned).map(|minute| found(&rule(minute))).collect();
        let desired = Desired { config_version, applied_version: applied, ..wanted(0..kept) };
        let plan = plan(&desired, &actual).unwrap();
        let deletions = plan.rules.iter().filter(|rule| rule.action.is_removing()).count();
        assert_eq!(deletions, if refused { 0 } else { owned - kept }, "{owned} {kept} {config_version} {applied:?}");
        assert_eq!(plan.alarms.is_empty(), !refused);
    };
    check(20, 14, 5, Some(5), true);
    check(20, 15, 5, Some(5), false);
    check(6, 1, 5, Some(5), false);
    check(7, 1, 5, Some(5), true);
    check(20, 1, 6, Some(5), false);
    check(20, 1, 5, None, false);
    // An older version than the applied one is a restored database, not an edit.
    check(20, 1, 4, Some(5), true);
    // Six of thirty are no more than a fifth; thirty can only come from elsewhere.
    let actual: Vec<ActualRule> = (0..40).map(|minute| found(&rule(minute))).collect();
    let desired = Desired { applied_version: Some(5), ..wanted(0..20) };
    assert!(!plan(&desired, &actual).unwrap().alarms.is_empty());
}

/// Faults, row 26.
#[test]
fn an_empty_desired_state_never_deletes() {
    for adoption in [Adoption::None, Adoption::All] {
        let mut actual: Vec<ActualRule> = (0..20).map(|minute| found(&rule(minute))).collect();
        actual.push(ActualRule { name: "app-dev-warmer-pattern-1".to_owned(), ..found(&rule(1)) });
        let plan = plan(&Desired { adoption, ..wanted([]) }, &actual).unwrap();
        assert!(plan.rules.iter().all(|rule| !rule.action.is_removing()));
    }
}

#[test]
fn a_desired_state_that_cannot_be_meant_has_no_plan() {
    assert_eq!(plan(&wanted(0..21), &[]), Err(PlanError::TooManyRules(21)));
    assert_eq!(plan(&wanted([1, 1]), &[]), Err(PlanError::WantedTwice(rule(1).name)));
    let mut strange = wanted([1]);
    strange.rules[0].name = "app.dev2.warm.0123456789abcdef".to_owned();
    assert!(matches!(plan(&strange, &[]), Err(PlanError::NotOurName(..))));
}

#[test]
fn the_dry_run_answer_reads_like_this() {
    let edited = ActualRule { state: "DISABLED".to_owned(), ..found(&rule(1)) };
    let mut old = ActualRule { name: "app-dev-warmer-pattern-3".to_owned(), ..found(&rule(1)) };
    old.targets[0].id = "1".to_owned();
    let body = serde_json::to_value(plan(&wanted([1]), &[edited, old]).unwrap()).unwrap();
    let target = json!({"id": "warmer", "arn": "arn:warmer", "input": "{}", "deadLetterArn": null});
    let expected = json!({
        "alarms": [],
        "rules": [
            {
                "name": "app-dev-warmer-pattern-3", "action": "old", "state": "ENABLED", "remove": false, "why": null,
                "targets": [{"rule": "app-dev-warmer-pattern-3", "arn": "arn:warmer", "input": "{}"}],
                "targetIds": ["1"],
            },
            {
                "name": rule(1).name, "action": "update",
                "rule": {
                    "name": rule(1).name, "expression": "cron(1 9 ? * * *)", "state": "ENABLED",
                    "description": "Warms app in dev", "target": target,
                },
                "drift": [{"field": "state", "expected": "ENABLED", "found": "DISABLED"}],
                "surplusTargets": [], "makeRoom": false,
            },
        ],
    });
    assert_eq!(body, expected, "{}", serde_json::to_string_pretty::<Value>(&body).unwrap());
}
