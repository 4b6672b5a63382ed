//! Each rule by example.

use mgmt_common::modules::fault::Fault;
use mgmt_common::modules::graph::{Graph, Module};
use mgmt_common::modules::plan::{Plan, delete, disable, enable, redefine};
use module_mgmt_protocol::state::ModuleType;

use crate::{module, name, short};

fn graph(modules: &[Module]) -> Graph {
    Graph::new(modules.iter().cloned())
}

fn codes(plan: &Plan) -> Vec<&'static str> {
    plan.refusals.iter().map(|refusal| refusal.code).collect()
}

#[test]
fn a_diamond_is_enabled_from_its_bottom_and_disabled_from_its_top() {
    let off = graph(&[
        module("a", false, &[]),
        module("b", false, &["a"]),
        module("c", false, &["a"]),
        module("d", false, &["c", "b"]),
    ]);
    let order = short(&enable(&off, &name("d"), true).changes);
    assert_eq!((order.len(), order[0].as_str(), order[3].as_str()), (4, "a", "d"));
    let on = graph(&[
        module("a", true, &[]),
        module("b", true, &["a"]),
        module("c", true, &["a"]),
        module("d", true, &["c", "b"]),
    ]);
    let plan = disable(&on, &name("a"), true, false);
    let order = short(&plan.changes);
    assert_eq!((order.len(), order[0].as_str(), order[3].as_str()), (4, "d", "a"));
    assert_eq!(short(&plan.dependents), order[..3]);
}

#[test]
fn what_is_refused_changes_nothing_and_says_everything() {
    let mut core = module("core", true, &[]);
    core.module_type = ModuleType::Core;
    let graph = graph(&[
        core,
        module("user", true, &["core"]),
        module("off", false, &[]),
        module("waits", false, &["off", "core"]),
    ]);
    let plan = disable(&graph, &name("core"), false, false);
    assert_eq!((codes(&plan), plan.changes.len()), (vec!["has_dependents", "core_module"], 0));
    assert_eq!(short(&disable(&graph, &name("core"), true, true).changes), ["user", "core"]);
    let plan = enable(&graph, &name("waits"), false);
    assert_eq!((codes(&plan), short(&plan.refusals[0].modules)), (vec!["dependency_disabled"], vec!["off".to_owned()]));
    assert_eq!(delete(&graph, &name("core"), true).len(), 1);
    assert_eq!(delete(&graph, &name("core"), false).len(), 2);
    assert!(delete(&graph, &name("waits"), false).is_empty());
}

#[test]
fn a_cascade_does_not_go_through_what_is_not_there() {
    let mut gone = module("gone", false, &[]);
    gone.is_installed = false;
    let graph = graph(&[gone, module("b", false, &["gone"]), module("c", false, &["b"])]);
    let plan = enable(&graph, &name("c"), true);
    assert_eq!((codes(&plan), short(&plan.refusals[0].modules)), (vec!["dependency_unmet"], vec!["gone".to_owned()]));
}

#[test]
fn faults_name_their_place_and_cycles_their_way() {
    let mut low = module("low", false, &["a"]);
    low.tier = 1;
    let graph = graph(&[module("a", false, &["b"]), module("b", false, &["c"]), module("c", false, &[]), low.clone()]);
    let faults = |module: &Module| redefine(&graph, module).0;
    assert!(
        matches!(&faults(&module("c", false, &["a"]))[..], [Fault::Cycle { index: 0, path }] if short(path) == ["a", "b", "c"])
    );
    assert!(matches!(faults(&low)[..], [Fault::HigherTier { index: 0, tier: 3, own: 1, .. }]));
    let several = module("x", false, &["a", "x", "a", "none"]);
    assert!(matches!(
        faults(&several)[..],
        [Fault::Itself { index: 1 }, Fault::Repeated { index: 2, .. }, Fault::Missing { index: 3, .. }]
    ));
    let message = faults(&module("c", false, &["a"]))[0].to_string();
    assert_eq!(message, "this would close a cycle: module-c -> module-a -> module-b -> module-c");
}

#[test]
fn a_change_must_not_break_those_who_need_the_module() {
    let graph = graph(&[module("a", true, &[]), module("b", true, &["a"]), module("z", true, &[])]);
    let refused = |module: &Module| -> Vec<&'static str> {
        redefine(&graph, module).1.iter().map(|refusal| refusal.code).collect()
    };
    let change = |edit: &dyn Fn(&mut Module)| {
        let mut module = module("a", true, &[]);
        edit(&mut module);
        refused(&module)
    };
    assert_eq!(change(&|module| module.is_installed = false), ["breaks_dependents"]);
    assert_eq!(change(&|module| module.tier = 2), Vec::<&str>::new());
    assert_eq!(change(&|module| module.version.major = 9), Vec::<&str>::new(), "nobody asked for a version");
    let mut uninstalled = module("z", true, &[]);
    uninstalled.is_installed = false;
    assert_eq!(refused(&uninstalled), Vec::<&str>::new());
    uninstalled.module_type = ModuleType::Core;
    assert_eq!(refused(&uninstalled), ["core_module"]);
}
