use super::super::id;
use super::super::sent::SentEvent;
use super::*;

fn at(hour: u8) -> Timestamp {
    format!("2026-11-02T{hour:02}:00:00Z").parse().unwrap()
}

fn module(name: &str, needs: &[&str]) -> ModuleHistory {
    ModuleHistory {
        name: name.into(),
        is_enabled: true,
        is_installed: true,
        is_deleted: false,
        disabled_at: None,
        dependencies: needs.iter().map(|needed| (*needed).to_owned()).collect(),
        off_for: BTreeMap::new(),
    }
}

fn reason(modules: &[ModuleHistory], name: &str, hour: u8) -> Option<&'static str> {
    reason_for(modules, name, "a", hour)
}

fn reason_for(modules: &[ModuleHistory], name: &str, organisation: &str, hour: u8) -> Option<&'static str> {
    let rules = Rules { now: at(23), max_age_days: 35, events_per_minute: None };
    let judge = Judge::new(modules.to_vec(), &["a", "b"].into(), rules);
    let event = format!(r#"{{"eventType":"api_call","status":"success","occurredAt":"{}"}}"#, at(hour));
    let made = || id::of_message("m", at(hour));
    let event = CheckedEvent::check(SentEvent::read(&event).unwrap(), Some(name), made).unwrap();
    judge.judge(&event, organisation).err().map(|refusal| refusal.reason.as_str())
}

#[test]
fn what_happened_before_a_module_went_off_counts() {
    let mut modules =
        [module("module-x", &["module-y@>=1"]), module("module-y", &[]), module("module-z", &["module-x"])];
    assert_eq!(reason(&modules, "module-z", 12), None);
    assert_eq!(reason(&modules, "module-none", 12), Some("unknown_module"));

    modules[1].off_for.insert("b".into(), at(1));
    assert_eq!(reason(&modules, "module-z", 12), None, "another organisation's override is no matter of this one's");
    modules[1].off_for.insert("a".into(), at(10));
    assert_eq!((reason(&modules, "module-y", 9), reason(&modules, "module-y", 10)), (None, Some("org_off")));
    assert_eq!((reason(&modules, "module-z", 9), reason(&modules, "module-z", 10)), (None, Some("dependency_off")));

    modules[0].is_enabled = false;
    modules[0].disabled_at = Some(at(8));
    assert_eq!((reason(&modules, "module-x", 7), reason(&modules, "module-x", 8)), (None, Some("platform_off")));
    assert_eq!((reason(&modules, "module-z", 7), reason(&modules, "module-z", 8)), (None, Some("dependency_off")));
    modules[0].is_deleted = true;
    assert_eq!((reason(&modules, "module-x", 7), reason(&modules, "module-x", 8)), (None, Some("unknown_module")));

    modules[0] = ModuleHistory { is_installed: false, ..module("module-x", &[]) };
    assert_eq!(reason(&modules, "module-x", 1), Some("not_installed"));
}

#[test]
fn a_dependency_that_was_never_registered_makes_the_moment_unknown() {
    let modules = [module("module-x", &["module-gone"])];
    assert_eq!(reason(&modules, "module-x", 1), Some("dependency_off"));
}

#[test]
fn a_circle_of_dependencies_ends() {
    let modules = [module("module-x", &["module-y"]), module("module-y", &["module-x"])];
    assert_eq!(reason(&modules, "module-x", 1), Some("dependency_off"));
}

#[test]
fn layers_of_dependencies_and_long_chains_are_walked_once() {
    // Each module of a layer needs both of the layer below: 2^25 ways lead down.
    let names: Vec<[String; 2]> = (0..25).map(|layer| [0, 1].map(|n| format!("module-l{layer}-{n}"))).collect();
    let mut modules: Vec<ModuleHistory> = Vec::new();
    for (layer, pair) in names.iter().enumerate() {
        let below: Vec<&str> = match layer.checked_sub(1) {
            Some(below) => names[below].iter().map(String::as_str).collect(),
            None => Vec::new(),
        };
        modules.extend(pair.iter().map(|name| module(name, &below)));
    }
    modules[0].off_for.insert("a".into(), at(10));
    let top = &names[24][0];
    assert_eq!((reason(&modules, top, 9), reason(&modules, top, 10)), (None, Some("dependency_off")));

    let names: Vec<String> = (0..10_000).map(|n| format!("module-c{n}")).collect();
    let mut chain: Vec<ModuleHistory> = names.windows(2).map(|pair| module(&pair[0], &[&pair[1]])).collect();
    chain.push(ModuleHistory { is_enabled: false, disabled_at: Some(at(8)), ..module(&names[9_999], &[]) });
    assert_eq!((reason(&chain, &names[0], 7), reason(&chain, &names[0], 8)), (None, Some("dependency_off")));
}

#[test]
fn a_module_that_lost_several_things_it_needs_is_off_since_the_first_of_them_went() {
    let mut modules = [
        module("module-x", &["module-y", "module-z", "module-on"]),
        module("module-y", &[]),
        module("module-z", &[]),
        module("module-on", &[]),
    ];
    for (y, z) in [(8, 10), (10, 8)] {
        modules[1].off_for = BTreeMap::from([("a".to_owned(), at(y))]);
        modules[2].off_for = BTreeMap::from([("a".to_owned(), at(z))]);
        assert_eq!((reason(&modules, "module-x", 7), reason(&modules, "module-x", 8)), (None, Some("dependency_off")));
    }
    // One that has always been missing makes that moment unknown, so nothing counts.
    modules[2] = module("module-other", &[]);
    assert_eq!(reason(&modules, "module-x", 7), Some("dependency_off"));
}

#[test]
fn an_organisation_that_was_not_asked_about_is_unknown() {
    assert_eq!(reason_for(&[module("module-x", &[])], "module-x", "a", 1), None);
    assert_eq!(reason_for(&[module("module-x", &[])], "module-x", "other", 1), Some("unknown_module"));
}

#[test]
fn an_event_is_refused_for_its_module_its_times_or_a_module_that_was_off() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let off = BTreeMap::from([("a".to_owned(), at("2024-07-01T00:00:00Z"))]);
    let modules = vec![module("module-on", &[]), ModuleHistory { off_for: off, ..module("module-off", &[]) }];
    let check = |module: &str, occurred_at: &str, now: &str, expected: Option<(&str, &str)>| {
        let judge = Judge::new(
            modules.clone(),
            &["a"].into(),
            Rules { now: at(now), max_age_days: 35, events_per_minute: None },
        );
        // The id is of 2024-07-11T04:14:32.96Z.
        let raw = format!(
            r#"{{"id":"0190a000-0000-7000-8000-000000000001","eventType":"api_call","status":"success","occurredAt":"{occurred_at}"}}"#
        );
        let event = CheckedEvent::check(SentEvent::read(&raw).unwrap(), Some(module), id::make).unwrap();
        let refusal = judge.judge(&event, "a").err();
        let told = refusal.as_ref().map(|refusal| (refusal.reason.as_str(), refusal.errors[0].pointer.as_str()));
        assert_eq!(told, expected, "{module} {occurred_at} {now}");
    };
    let (day, soon) = ("2024-07-11T00:00:00Z", "2024-07-12T00:00:00Z");
    check("module-on", day, soon, None);
    check("module-none", day, soon, Some(("unknown_module", "/moduleName")));
    check("module-off", day, soon, Some(("org_off", "/moduleName")));
    check("module-on", "2024-06-01T00:00:00Z", soon, Some(("too_old", "/occurredAt")));
    check("module-on", "2024-08-01T00:00:00Z", soon, Some(("in_future", "/occurredAt")));
    // The time of the id must lie within the window too.
    check("module-on", "2024-10-01T00:00:00Z", "2024-10-01T00:00:00Z", Some(("too_old", "/id")));
    check("module-on", "2024-07-09T00:00:00Z", "2024-07-09T00:00:00Z", Some(("in_future", "/id")));
}
