//! The plan: tables of what is wanted and what is found, without any I/O.
#![expect(clippy::unwrap_used, reason = "the lint spares test functions, but not the helpers they share")]

use std::collections::BTreeMap;

use mgmt_common::rules::{
    Action, ActualRule, ActualTarget, Adoption, Desired, DesiredRule, DesiredTarget, OWNER_TAG, OldTarget, PlanError,
    RuleState, plan,
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

#[test]
fn row_25_only_name_and_tag_together_make_a_rule_ours() {
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

#[test]
fn row_26_deletions_for_a_version_that_is_no_edit_are_capped() {
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

#[test]
fn row_26_an_empty_desired_state_never_deletes() {
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

fn target(id: &str) -> ActualTarget {
    ActualTarget { id: id.to_owned(), ..ActualTarget::default() }
}

/// What the plan says about the one rule that is wanted and found.
fn drift(edit: &dyn Fn(&mut ActualRule)) -> (Vec<&'static str>, Vec<String>, bool) {
    let mut actual = found(&rule(1));
    edit(&mut actual);
    match plan(&wanted([1]), &[actual]).unwrap().rules.remove(0).action {
        Action::Unchanged => (Vec::new(), Vec::new(), false),
        Action::Update { drift, surplus_targets, make_room, .. } => {
            (drift.iter().map(|drift| drift.field).collect(), surplus_targets, make_room)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_field_of_a_rule_and_its_target_is_compared() {
    let check = |edit: &dyn Fn(&mut ActualRule), field: &str| assert_eq!(drift(edit).0, [field]);
    let other = || Some("other".to_owned());
    check(&|rule| rule.expression = other(), "expression");
    check(&|rule| rule.expression = None, "expression");
    check(&|rule| rule.event_pattern = other(), "eventPattern");
    check(&|rule| rule.state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS".to_owned(), "state");
    check(&|rule| rule.description = None, "description");
    check(&|rule| rule.role_arn = other(), "roleArn");
    check(&|rule| rule.targets.clear(), "target");
    check(&|rule| rule.targets[0].arn = "other".to_owned(), "target.arn");
    check(&|rule| rule.targets[0].input = None, "target.input");
    check(&|rule| rule.targets[0].max_age_seconds = Some(61), "target.maxAgeSeconds");
    check(&|rule| rule.targets[0].max_retries = None, "target.maxRetries");
    check(&|rule| rule.targets[0].dead_letter_arn = other(), "target.deadLetterArn");
    check(&|rule| rule.targets[0].has_other_settings = true, "target.otherSettings");
    check(&|rule| rule.targets.push(target("theirs")), "surplusTarget");
    assert_eq!(drift(&|_| ()).0, Vec::<&str>::new());
}

#[test]
fn targets_of_others_go_first_only_where_they_leave_no_room() {
    let check = |surplus: usize, ours: bool, expected: bool| {
        let (_, ids, make_room) = drift(&|rule| {
            if !ours {
                rule.targets.clear();
            }
            rule.targets.extend((0..surplus).map(|number| target(&format!("theirs-{number}"))));
        });
        assert_eq!((ids.len(), make_room), (surplus, expected), "{surplus} {ours}");
    };
    check(4, true, false);
    check(4, false, false);
    check(5, false, true);
}

/// The old rule with one target, as it would be planned.
fn old(desired: &Desired) -> (bool, Option<String>, usize) {
    let actual = ActualRule { name: "app-dev-warmer-pattern-3".to_owned(), ..found(&rule(1)) };
    let plan = plan(desired, &[actual]).unwrap();
    let adopted = plan.adopted_targets().len();
    let old = plan.rules.into_iter().find(|rule| rule.name == "app-dev-warmer-pattern-3").unwrap();
    match old.action {
        Action::Old { remove, why, .. } => (remove, why, adopted),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_old_rule_goes_when_that_was_asked_for_and_ours_take_its_place() {
    let stored = |arn: &str| {
        Adoption::Stored(vec![OldTarget {
            rule: "app-dev-warmer-pattern-3".to_owned(),
            arn: arn.to_owned(),
            input: Some("{}".to_owned()),
        }])
    };
    let check = |adoption: Adoption, state: RuleState, remove: bool, why: &str| {
        let mut desired = Desired { adoption, ..wanted([1, 2]) };
        desired.rules.iter_mut().for_each(|rule| rule.state = state);
        let (removed, told, adopted) = old(&desired);
        assert_eq!((removed, adopted), (remove, usize::from(remove)), "{desired:?}");
        assert!(told.as_deref().unwrap_or_default().contains(why) && told.is_none() == why.is_empty(), "{told:?}");
    };
    check(Adoption::None, RuleState::Enabled, false, "");
    check(Adoption::None, RuleState::Disabled, false, "");
    check(Adoption::All, RuleState::Enabled, true, "");
    check(Adoption::All, RuleState::Disabled, false, "no rule of ours would be enabled");
    check(stored("arn:warmer"), RuleState::Enabled, true, "");
    check(stored("arn:warmer"), RuleState::Disabled, false, "no rule of ours would be enabled");
    check(stored("arn:other"), RuleState::Enabled, false, "not stored yet");
    check(Adoption::Stored(Vec::new()), RuleState::Enabled, false, "not stored yet");
    // One rule that is enabled is enough to take its place.
    let mut desired = Desired { adoption: Adoption::All, ..wanted([1, 2]) };
    desired.rules[1].state = RuleState::Disabled;
    assert!(old(&desired).0);
}

#[test]
fn the_bus_is_established_when_nothing_is_left_to_bring_to_its_form() {
    let check = |desired: &Desired, actual: &[ActualRule], expected: bool| {
        let plan = plan(desired, actual).unwrap();
        assert_eq!(plan.is_established(), expected, "{plan:?}");
    };
    let disabled = || ActualRule { state: "DISABLED".to_owned(), ..found(&rule(1)) };
    let foreign = || ActualRule { tags: BTreeMap::new(), ..found(&rule(1)) };
    check(&wanted([1]), &[], false);
    check(&wanted([1]), &[disabled()], false);
    check(&wanted([]), &[found(&rule(1))], false);
    check(&wanted([1]), &[foreign()], false);
    check(&wanted([1]), &[found(&rule(1))], true);
    // What only has to go, or is not ours, does not keep it from being established.
    check(&wanted([1]), &[found(&rule(1)), found(&rule(2))], true);
    check(&wanted([2]), &[foreign(), found(&rule(2))], true);
    check(&wanted([]), &[], true);
}

#[test]
fn the_alarm_counts_only_rules_that_are_ours() {
    // 6 of 26 of our rules are more than a fifth; foreign ones beside them do not make the share smaller.
    let mut actual: Vec<ActualRule> = (0..26).map(|minute| found(&rule(minute))).collect();
    actual.extend((30..50).map(|minute| ActualRule { tags: BTreeMap::new(), ..found(&rule(minute)) }));
    let desired = Desired { applied_version: Some(5), ..wanted(0..20) };
    let plan = plan(&desired, &actual).unwrap();
    assert_eq!(plan.alarms, ["6 of 26 rules would be deleted although config version 5 is already applied; none was"]);
    let kept = plan.rules.iter().filter(|rule| rule.action.name() == "kept").count();
    assert_eq!((kept, plan.rules.iter().filter(|rule| rule.action.is_removing()).count()), (6, 0));
}

#[test]
fn a_desired_state_may_have_twenty_rules() {
    assert!(plan(&wanted(0..20), &[]).is_ok());
}
