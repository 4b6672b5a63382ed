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
