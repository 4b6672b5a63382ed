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

#[test]
fn each_refusal_is_one_sentence_that_names_the_modules() {
    let needs_core = |short: &str| module(short, true, &["core"]);
    let mut core = module("core", true, &[]);
    core.module_type = ModuleType::Core;
    let check = |plan: Vec<(&str, String)>, expected: &[(&str, &str)]| {
        let told: Vec<(&str, &str)> = plan.iter().map(|(code, detail)| (*code, detail.as_str())).collect();
        assert_eq!(told, expected);
    };
    let told = |plan: Plan| plan.refusals.into_iter().map(|refusal| (refusal.code, refusal.detail)).collect::<Vec<_>>();

    let one = graph(&[core.clone(), needs_core("a")]);
    check(
        told(disable(&one, &name("core"), false, false)),
        &[
            ("has_dependents", "module-a needs module-core; disable them first, or cascade"),
            ("core_module", "module-core is of the core; disabling it takes force"),
        ],
    );
    let deleted =
        delete(&one, &name("core"), false).into_iter().map(|refusal| (refusal.code, refusal.detail)).collect();
    check(
        deleted,
        &[
            ("has_dependents", "module-a needs module-core"),
            ("core_module", "module-core is of the core; deleting it takes force"),
        ],
    );

    // Five names are told; from the sixth on they are counted. Whoever nothing else needs comes first, the last by name before others.
    let many = |count: usize| {
        let dependents = ["a", "b", "c", "d", "e", "f", "g"].into_iter().take(count).map(needs_core);
        let graph = Graph::new(std::iter::once(core.clone()).chain(dependents));
        let mut refusals = told(disable(&graph, &name("core"), false, true));
        refusals.remove(0).1
    };
    assert_eq!(many(2), "module-b, module-a need module-core; disable them first, or cascade");
    assert!(many(5).starts_with("module-e, module-d, module-c, module-b, module-a need"), "{}", many(5));
    assert!(many(6).starts_with("module-f, module-e, module-d, module-c, module-b and 1 more need"), "{}", many(6));
    assert!(many(7).starts_with("module-g, module-f, module-e, module-d, module-c and 2 more need"), "{}", many(7));

    let mut second = module("second", true, &["core"]);
    second.module_type = ModuleType::Core;
    let two = graph(&[core.clone(), second]);
    check(
        told(disable(&two, &name("core"), true, false)),
        &[("core_module", "module-second, module-core are of the core; disabling it takes force")],
    );
}

#[test]
fn what_a_module_lacks_is_said_for_each_dependency() {
    let mut gone = module("gone", true, &[]);
    gone.is_installed = false;
    let mut young = module("young", true, &[]);
    young.version = semver::Version::new(2, 5, 0);
    young.min_compatible_version = Some(semver::Version::new(2, 0, 0));
    let check = |needed: &str, expected: &str| {
        let graph = graph(&[gone.clone(), young.clone(), module("off", false, &[]), module("x", false, &[needed])]);
        let plan = enable(&graph, &name("x"), false);
        assert_eq!(plan.refusals[0].detail, expected);
        assert_eq!(plan.refusals.len(), 1, "{plan:?}");
    };
    check("none", "module-none is not registered");
    check("gone", "module-gone is not installed");
    check("off", "module-x needs module-off enabled first, or cascade");
    check("young@<2.0.0", "module-young has version 2.5.0, which module-young@<2.0.0 does not accept");
    check("young@>=1.9, <3", "module-young@>=1.9, <3 asks for versions that module-young is no longer compatible with");
    let graph = graph(&[gone, module("x", false, &["none", "gone"])]);
    let plan = enable(&graph, &name("x"), true);
    assert_eq!(plan.refusals[0].detail, "module-gone is not installed; module-none is not registered");
}

#[test]
fn a_module_that_is_not_installed_cannot_be_enabled() {
    let mut gone = module("gone", false, &[]);
    gone.is_installed = false;
    let plan = enable(&graph(&[gone]), &name("gone"), true);
    assert_eq!(
        (plan.refusals[0].code, plan.refusals[0].detail.as_str()),
        ("not_installed", "module-gone is not installed")
    );
    assert_eq!(plan.changes, []);
}

#[test]
fn what_is_on_already_is_no_change() {
    let graph = graph(&[module("a", true, &[]), module("b", true, &["a"]), module("off", false, &["a"])]);
    assert_eq!(enable(&graph, &name("b"), true).changes, []);
    assert_eq!(disable(&graph, &name("off"), true, false).changes, []);
    assert_eq!(short(&enable(&graph, &name("off"), false).changes), ["off"]);
    // A dependent that is off neither changes nor stands in the way.
    assert_eq!(short(&disable(&graph, &name("a"), true, false).dependents), ["b"]);
}

#[test]
fn every_fault_is_one_sentence_at_its_place() {
    use module_mgmt_protocol::field_error::FieldError;
    let mut old = module("old", false, &[]);
    old.min_compatible_version = Some(semver::Version::new(2, 0, 0));
    let mut high = module("high", false, &[]);
    high.tier = 3;
    let graph = graph(&[old, high]);
    let mut low = module("x", false, &["x", "none", "old@^1", "high", "high"]);
    low.tier = 2;
    let told: Vec<(String, String)> =
        redefine(&graph, &low).0.iter().map(FieldError::from).map(|error| (error.pointer, error.message)).collect();
    let expected = [
        ("/dependencies/0", "a module cannot depend on itself"),
        ("/dependencies/1", "module-none is not registered"),
        ("/dependencies/2", "module-old is of tier 3; a module of tier 2 may depend on tiers up to 2 only"),
        ("/dependencies/3", "module-high is of tier 3; a module of tier 2 may depend on tiers up to 2 only"),
        ("/dependencies/4", "module-high is named twice"),
    ];
    assert_eq!(
        told.iter().map(|(pointer, message)| (pointer.as_str(), message.as_str())).collect::<Vec<_>>(),
        expected
    );
    low.tier = 3;
    assert_eq!(
        redefine(&graph, &low).0[2].to_string(),
        "module-old@^1 asks for versions below 2.0.0, the oldest that module-old is compatible with"
    );
}

#[test]
fn the_way_of_a_cycle_is_told_up_to_twenty_modules() {
    let told = |length: usize| {
        let chain = (0..length).map(|index| module(&format!("m{index}"), false, &[&format!("m{}", index + 1)]));
        let graph = Graph::new(chain.chain([module(&format!("m{length}"), false, &[])]));
        let closing = module(&format!("m{length}"), false, &["m0"]);
        redefine(&graph, &closing).0[0].to_string()
    };
    // The module that closes the cycle is at both ends of its way.
    assert_eq!(told(18).matches("module-").count(), 20);
    assert!(told(18).ends_with("-> module-m17 -> module-m18"), "{}", told(18));
    assert_eq!(told(19).matches("module-").count(), 20);
    assert!(told(19).ends_with("-> module-m18 -> … (1 more)"), "{}", told(19));
    assert!(told(30).ends_with("-> … (12 more)"), "{}", told(30));
}

#[test]
fn the_shortest_cycle_is_told() {
    // From a there are two ways to z, of two steps and of one.
    let graph = graph(&[module("a", false, &["b", "z"]), module("b", false, &["z"]), module("z", false, &[])]);
    let faults = redefine(&graph, &module("z", false, &["a"])).0;
    assert!(matches!(&faults[..], [Fault::Cycle { path, .. }] if short(path) == ["a", "z"]), "{faults:?}");
}

#[test]
fn a_cycle_is_told_of_the_module_that_closes_it_alone() {
    let graph = graph(&[module("a", false, &["b"]), module("b", false, &["c"]), module("c", false, &[])]);
    let (faults, refusals) = redefine(&graph, &module("c", false, &["a"]));
    assert_eq!((faults.len(), refusals), (1, Vec::new()));
}

#[test]
fn a_new_version_or_tier_must_suit_those_who_need_the_module() {
    let mut own = module("own", true, &["a@^1"]);
    own.tier = 2;
    let mut a = module("a", true, &[]);
    a.tier = 1;
    let graph = graph(&[a.clone(), own, module("off", false, &["a@^1"]), module("other", true, &[])]);
    let check = |edit: &dyn Fn(&mut Module), expected: &[(&str, &[&str], &str)]| {
        let mut changed = a.clone();
        edit(&mut changed);
        let refusals = redefine(&graph, &changed).1;
        let told: Vec<(&str, Vec<String>, &str)> =
            refusals.iter().map(|refusal| (refusal.code, short(&refusal.modules), refusal.detail.as_str())).collect();
        let expected: Vec<(&str, Vec<String>, &str)> = expected
            .iter()
            .map(|(code, modules, detail)| (*code, modules.iter().map(|name| (*name).to_owned()).collect(), *detail))
            .collect();
        assert_eq!(told, expected);
    };
    check(&|_| (), &[]);
    check(&|module| module.version = semver::Version::new(1, 9, 0), &[]);
    check(
        &|module| module.version = semver::Version::new(2, 0, 0),
        &[(
            "breaks_dependents",
            &["own"],
            "this would break modules that need it: module-own: module-a has version 2.0.0, which module-a@^1 does not accept",
        )],
    );
    // A tier is a matter of the definition: modules that are off object too.
    let tier = "this would break modules that need it: module-own: module-a is of tier 3; a module of tier 2 may depend on \
                tiers up to 2 only";
    check(&|module| module.tier = 3, &[("breaks_dependents", &["own"], tier)]);
    check(
        &|module| module.min_compatible_version = Some(semver::Version::new(1, 1, 0)),
        &[(
            "breaks_dependents",
            &["off", "own"],
            "this would break modules that need it: module-off: module-a@^1 asks for versions below 1.1.0, the oldest that \
             module-a is compatible with; module-own: module-a@^1 asks for versions below 1.1.0, the oldest that module-a \
             is compatible with",
        )],
    );
}

#[test]
fn a_core_module_stays_installed_while_it_is_enabled() {
    let mut core = module("core", true, &[]);
    core.module_type = ModuleType::Core;
    let refused = |stored: &Module, changed: &Module| -> Vec<&'static str> {
        redefine(&graph(std::slice::from_ref(stored)), changed).1.iter().map(|refusal| refusal.code).collect()
    };
    let edited = |module: &Module, is_enabled: bool, is_installed: bool, module_type: ModuleType| Module {
        is_enabled,
        is_installed,
        module_type,
        ..module.clone()
    };
    let gone = edited(&core, true, false, ModuleType::Core);
    assert_eq!(refused(&core, &gone), ["core_module"]);
    assert_eq!(refused(&core, &edited(&core, true, false, ModuleType::Functional)), ["core_module"]);
    assert_eq!(refused(&core, &edited(&core, false, false, ModuleType::Core)), Vec::<&str>::new());
    assert_eq!(refused(&core, &edited(&core, true, true, ModuleType::Core)), Vec::<&str>::new());
    assert_eq!(refused(&gone, &gone), Vec::<&str>::new(), "it was not installed before");
}

#[test]
fn replacing_a_module_forgets_whom_it_needed() {
    let mut graph = graph(&[module("a", true, &[]), module("b", true, &["a"])]);
    graph.put(module("b", true, &[]));
    assert_eq!(graph.direct_dependents(&name("a")).count(), 0);
    graph.put(module("b", true, &["a"]));
    assert_eq!(graph.direct_dependents(&name("a")).count(), 1);
}
