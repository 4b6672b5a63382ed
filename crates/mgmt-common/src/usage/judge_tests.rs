use super::*;

fn at(hour: u8) -> Timestamp {
    format!("2026-11-02T{hour:02}:00:00Z").parse().unwrap()
}

fn module(name: &str, needs: &[&str]) -> ModuleRow {
    ModuleRow {
        name: name.into(),
        is_enabled: true,
        is_installed: true,
        is_deleted: false,
        disabled_at: None,
        dependencies: needs.iter().map(|needed| (*needed).to_owned()).collect(),
        off_for: BTreeMap::new(),
    }
}

fn reason(modules: &[ModuleRow], name: &str, hour: u8) -> Option<&'static str> {
    let states = States::new(modules.to_vec(), &["a".to_owned(), "b".to_owned()].into());
    let judged = states.known(name).and_then(|()| states.judge(name, "a", at(hour)));
    judged.err().map(|refusal| refusal.reason)
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

    modules[0] = ModuleRow { is_installed: false, ..module("module-x", &[]) };
    assert_eq!(reason(&modules, "module-x", 1), Some("not_installed"));
}

#[test]
fn a_circle_of_dependencies_ends() {
    let modules = [module("module-x", &["module-y"]), module("module-y", &["module-x"])];
    assert_eq!(reason(&modules, "module-x", 1), Some("dependency_off"));
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
fn off_along_a_chain_of_up_to_64_modules_is_known_since_when() {
    let check = |length: usize, expected: Option<&str>| {
        let names: Vec<String> = (0..=length).map(|index| format!("module-m{index}")).collect();
        let mut modules: Vec<ModuleRow> = names
            .iter()
            .enumerate()
            .map(|(index, name)| {
                module(name, &names.get(index + 1).map(String::as_str).into_iter().collect::<Vec<_>>())
            })
            .collect();
        modules[length].is_enabled = false;
        modules[length].disabled_at = Some(at(10));
        assert_eq!(reason(&modules, "module-m0", 9), expected, "{length}");
        assert_eq!(reason(&modules, "module-m0", 10), Some("dependency_off"), "{length}");
    };
    check(1, None);
    check(2, None);
    check(64, None);
    check(65, Some("dependency_off"));
}

#[test]
fn an_organisation_that_was_not_asked_about_is_unknown() {
    let states = States::new(vec![module("module-x", &[])], &["a".to_owned()].into());
    assert!(states.judge("module-x", "a", at(1)).is_ok());
    assert_eq!(states.judge("module-x", "other", at(1)).unwrap_err().reason, "unknown_module");
}
