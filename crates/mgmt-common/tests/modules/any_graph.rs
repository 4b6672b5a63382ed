//! What holds for any graph and any change.

use mgmt_common::modules::fault::Fault;
use mgmt_common::modules::graph::{Graph, Module};
use mgmt_common::modules::plan::{disable, enable, redefine};
use module_mgmt_protocol::decision::Permissions;
use module_mgmt_protocol::effective::{ModuleFacts, decide_all};
use proptest::prelude::*;

use crate::{is_sound, module, name};

const SIZE: usize = 8;

/// Modules that need only those before them, so that there is no cycle; sound, because only what can be enabled is.
fn any_graph() -> impl Strategy<Value = Graph> {
    let one = (any::<u8>(), prop::bool::weighted(0.7), prop::bool::weighted(0.9));
    prop::collection::vec(one, SIZE).prop_map(|modules| {
        let mut graph = Graph::default();
        for (index, (needs, wants_enabled, is_installed)) in modules.into_iter().enumerate() {
            let needs: Vec<String> =
                (0..index).filter(|bit| needs & (1 << bit) != 0).map(|other| format!("m{other}")).collect();
            let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
            let mut module = module(&format!("m{index}"), false, &needs);
            module.is_installed = is_installed;
            module.is_enabled =
                wants_enabled && is_installed && module.dependencies.iter().all(|needed| graph.unmet(needed).is_none());
            graph.put(module);
        }
        graph
    })
}

fn with(graph: &Graph, changed: &str, is_enabled: bool) -> Graph {
    let mut graph = graph.clone();
    let module = graph.modules().find(|module| module.name.as_str() == changed).unwrap().clone();
    graph.put(Module { is_enabled, ..module });
    graph
}

/// Brute force: every way along dependencies, as far as there are modules.
fn reaches(graph: &Graph, from: &Module, to: &str, steps: usize) -> bool {
    steps > 0
        && from.dependencies.iter().any(|needed| {
            needed.name.as_str() == to
                || graph.get(&needed.name).is_some_and(|next| reaches(graph, next, to, steps - 1))
        })
}

proptest! {
    #[test]
    fn a_plan_that_is_not_refused_keeps_the_promise_at_every_step(
        graph in any_graph(), target in 0..SIZE, cascade: bool, is_enable: bool,
    ) {
        let target = name(&format!("m{target}"));
        let plan = if is_enable { enable(&graph, &target, cascade) } else { disable(&graph, &target, cascade, false) };
        prop_assert_eq!(plan.changes.is_empty() || plan.refusals.is_empty(), true);
        let mut now = graph.clone();
        for change in &plan.changes {
            now = with(&now, change.as_str(), is_enable);
            prop_assert!(is_sound(&now), "after {}: {:?}", change, plan);
        }
        if plan.refusals.is_empty() {
            prop_assert_eq!(now.get(&target).unwrap().is_enabled, is_enable);
            // No module changes that need not: undoing any single change breaks the promise or the request.
            for change in plan.changes.iter().filter(|change| **change != target) {
                prop_assert!(!is_sound(&with(&now, change.as_str(), !is_enable)), "{} need not change: {:?}", change, plan);
            }
        } else {
            // A refusal has a reason: doing it all the same would break the promise, or its target is not installed.
            let forced = with(&graph, target.as_str(), is_enable);
            prop_assert!(!is_sound(&forced) || !graph.get(&target).unwrap().is_installed, "{:?}", plan);
        }
    }

    #[test]
    fn a_definition_that_is_accepted_keeps_the_promise_and_closes_no_cycle(
        graph in any_graph(), target in 0..SIZE, needs: u8, is_installed: bool,
    ) {
        let target = format!("m{target}");
        let old = graph.get(&name(&target)).unwrap();
        let needs: Vec<String> = (0..SIZE).filter(|bit| needs & (1 << bit) != 0).map(|other| format!("m{other}")).collect();
        let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
        let changed = Module { is_installed, is_enabled: old.is_enabled, ..module(&target, false, &needs) };
        let (faults, refusals) = redefine(&graph, &changed);
        let mut after = graph.clone();
        after.put(changed.clone());
        let closes_cycle = reaches(&after, &changed, changed.name.as_str(), SIZE);
        let told = faults.iter().any(|fault| matches!(fault, Fault::Cycle { .. } | Fault::Itself { .. }));
        prop_assert_eq!(told, closes_cycle);
        prop_assert_eq!(faults.is_empty() && refusals.is_empty(), is_sound(&after) && !closes_cycle);
    }

    /// The decision for an organisation that overrides nothing is what the registry says.
    #[test]
    fn in_a_sound_graph_what_is_enabled_and_installed_is_on(graph in any_graph()) {
        let needs: Vec<Vec<String>> =
            graph.modules().map(|module| module.dependencies.iter().map(ToString::to_string).collect()).collect();
        let facts: Vec<ModuleFacts<'_>> = graph.modules().zip(&needs).map(|(module, needs)| facts_of(module, needs)).collect();
        for (module, decision) in graph.modules().zip(decide_all(&facts, &Permissions::All)) {
            prop_assert_eq!(decision.is_on(), module.is_enabled && module.is_installed);
        }
    }
}

fn facts_of<'a>(module: &'a Module, dependencies: &'a [String]) -> ModuleFacts<'a> {
    ModuleFacts {
        name: module.name.as_str(),
        is_enabled: module.is_enabled,
        is_installed: module.is_installed,
        org_on: true,
        dependencies,
        required_permissions: &[],
    }
}
