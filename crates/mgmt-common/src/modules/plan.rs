//! What switching a module on or off, or redefining it, would do to the others, and why it may not be done.

use std::collections::BTreeSet;

use module_mgmt_protocol::state::ModuleType;

use super::fault::Fault;
use super::graph::{Graph, Module, Unmet, Why};
use super::name::ModuleName;

/// What a change would do. With a refusal it does nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The modules that change their state, in the order in which each step leaves no enabled module without what it needs.
    pub changes: Vec<ModuleName>,
    /// The enabled modules that need this one, directly or through others; those that nothing else needs come first.
    pub dependents: Vec<ModuleName>,
    pub refusals: Vec<Refusal>,
}

/// A rule that forbids a change; the code is stable, for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: &'static str,
    pub detail: String,
    /// The modules that stand in the way.
    pub modules: Vec<ModuleName>,
}

impl Refusal {
    fn new(code: &'static str, detail: String, modules: Vec<ModuleName>) -> Self {
        Self { code, detail, modules }
    }
}

/// Plans to enable a module; `cascade` enables what it needs too.
pub fn enable(graph: &Graph, name: &ModuleName, cascade: bool) -> Plan {
    let order = post_order(name, |name| {
        let needed = graph.get(name).into_iter().flat_map(|module| &module.dependencies).map(|needed| &needed.name);
        needed.filter(|needed| graph.get(needed).is_some_and(|module| !module.is_enabled)).cloned().collect()
    });
    let to_enable = |name: &&ModuleName| graph.get(name).is_some_and(|module| !module.is_enabled);
    let changes: Vec<ModuleName> = order.iter().filter(to_enable).cloned().collect();

    let mut refusals = Vec::new();
    if graph.get(name).is_some_and(|module| !module.is_installed) {
        refusals.push(Refusal::new("not_installed", format!("{name} is not installed"), vec![name.clone()]));
    }
    let unmet: BTreeSet<(ModuleName, String)> = changes
        .iter()
        .filter_map(|name| graph.get(name))
        .flat_map(|module| module.dependencies.iter().filter_map(|needed| graph.unmet(needed)))
        .filter(|unmet| unmet.why != Why::Disabled)
        .map(|unmet| (unmet.name.clone(), unmet.to_string()))
        .collect();
    refusals.extend(unmet_dependencies(unmet));
    let disabled: Vec<ModuleName> = changes.iter().filter(|change| *change != name).cloned().collect();
    if !cascade && !disabled.is_empty() {
        let detail = format!("{name} needs {} enabled first, or cascade", listed(&disabled));
        refusals.push(Refusal::new("dependency_disabled", detail, disabled));
    }
    Plan { changes: unless_refused(changes, &refusals), dependents: Vec::new(), refusals }
}

/// Plans to disable a module; `cascade` disables the modules that need it too, `force` allows it for core modules.
pub fn disable(graph: &Graph, name: &ModuleName, cascade: bool, force: bool) -> Plan {
    let mut changes = post_order(name, |name| {
        graph.direct_dependents(name).filter(|module| module.is_enabled).map(|module| module.name.clone()).collect()
    });
    let dependents: Vec<ModuleName> = changes.iter().filter(|change| *change != name).cloned().collect();
    changes.retain(|change| graph.get(change).is_some_and(|module| module.is_enabled));

    let mut refusals = Vec::new();
    if !cascade && !dependents.is_empty() {
        let detail = format!("{} {name}; disable them first, or cascade", needing(&dependents));
        refusals.push(Refusal::new("has_dependents", detail, dependents.clone()));
    }
    let core: Vec<ModuleName> = changes.iter().filter(|change| is_core(graph, change)).cloned().collect();
    if !force && !core.is_empty() {
        let detail = format!("{} of the core; disabling it takes force", listed_are(&core));
        refusals.push(Refusal::new("core_module", detail, core));
    }
    Plan { changes: unless_refused(changes, &refusals), dependents, refusals }
}

/// Why a module may not be deleted: any other that names it, enabled or not, would be left with a missing dependency.
pub fn delete(graph: &Graph, name: &ModuleName, force: bool) -> Vec<Refusal> {
    let dependents: Vec<ModuleName> = graph.direct_dependents(name).map(|module| module.name.clone()).collect();
    let mut refusals = Vec::new();
    if !dependents.is_empty() {
        refusals.push(Refusal::new("has_dependents", format!("{} {name}", needing(&dependents)), dependents));
    }
    if is_core(graph, name) && !force {
        let detail = format!("{name} is of the core; deleting it takes force");
        refusals.push(Refusal::new("core_module", detail, vec![name.clone()]));
    }
    refusals
}

/// What is wrong with a new definition of a module, and what it would break. `is_enabled` of the definition is what it is now.
pub fn redefine(graph: &Graph, module: &Module) -> (Vec<Fault>, Vec<Refusal>) {
    let old = graph.get(&module.name);
    let mut after = graph.clone();
    after.put(module.clone());
    let faults = after.faults(module);

    let mut refusals = Vec::new();
    if module.is_enabled {
        let unmet = module.dependencies.iter().filter_map(|needed| after.unmet(needed));
        refusals
            .extend(unmet_dependencies(unmet.map(|unmet: Unmet| (unmet.name.clone(), unmet.to_string())).collect()));
        let was_installed = old.is_some_and(|old| old.is_installed);
        if was_installed
            && !module.is_installed
            && (module.module_type == ModuleType::Core || is_core(graph, &module.name))
        {
            let detail = format!("{} is of the core and enabled; disable it with force first", module.name);
            refusals.push(Refusal::new("core_module", detail, vec![module.name.clone()]));
        }
    }
    let (mut broken, mut why) = (Vec::new(), Vec::new());
    for dependent in after.direct_dependents(&module.name).filter(|dependent| dependent.name != module.name) {
        let before = complaints(graph, dependent, &module.name);
        let news =
            complaints(&after, dependent, &module.name).into_iter().find(|complaint| !before.contains(complaint));
        if let Some(complaint) = news {
            broken.push(dependent.name.clone());
            why.push(format!("{}: {complaint}", dependent.name));
        }
    }
    if !broken.is_empty() {
        let detail = format!("this would break modules that need it: {}", why.join("; "));
        refusals.push(Refusal::new("breaks_dependents", detail, broken));
    }
    (faults, refusals)
}

/// What a dependent has to say about one of its dependencies.
fn complaints(graph: &Graph, dependent: &Module, name: &ModuleName) -> Vec<String> {
    let own = |index: usize| dependent.dependencies.get(index).is_some_and(|needed| needed.name == *name);
    // A cycle is told of the module that closes it.
    let faults =
        graph.faults(dependent).into_iter().filter(|fault| !matches!(fault, Fault::Cycle { .. }) && own(fault.index()));
    let mut complaints: Vec<String> = faults.map(|fault| fault.to_string()).collect();
    if dependent.is_enabled {
        let needed = dependent.dependencies.iter().filter(|needed| needed.name == *name);
        complaints.extend(needed.filter_map(|needed| graph.unmet(needed)).map(|unmet| unmet.to_string()));
    }
    complaints
}

fn unmet_dependencies(unmet: BTreeSet<(ModuleName, String)>) -> Option<Refusal> {
    if unmet.is_empty() {
        return None;
    }
    let (mut modules, why): (Vec<ModuleName>, Vec<String>) = unmet.into_iter().unzip();
    modules.dedup();
    Some(Refusal::new("dependency_unmet", why.join("; "), modules))
}

fn unless_refused(changes: Vec<ModuleName>, refusals: &[Refusal]) -> Vec<ModuleName> {
    if refusals.is_empty() { changes } else { Vec::new() }
}

fn is_core(graph: &Graph, name: &ModuleName) -> bool {
    graph.get(name).is_some_and(|module| module.module_type == ModuleType::Core)
}

/// Depth first without recursion: what `next` names comes before the module that it is next to.
fn post_order(start: &ModuleName, next: impl Fn(&ModuleName) -> Vec<ModuleName>) -> Vec<ModuleName> {
    let mut order = Vec::new();
    let mut seen = BTreeSet::from([start.clone()]);
    let mut open = vec![(start.clone(), next(start))];
    while let Some((name, mut waiting)) = open.pop() {
        match waiting.pop() {
            Some(first) => {
                open.push((name, waiting));
                if seen.insert(first.clone()) {
                    let next = next(&first);
                    open.push((first, next));
                }
            }
            None => order.push(name),
        }
    }
    order
}

/// `a, b and 3 more`: sentences stay readable however many modules there are.
fn listed(names: &[ModuleName]) -> String {
    const TOLD: usize = 5;
    let told: Vec<&str> = names.iter().take(TOLD).map(ModuleName::as_str).collect();
    match names.len().saturating_sub(TOLD) {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

fn listed_are(names: &[ModuleName]) -> String {
    format!("{} {}", listed(names), if names.len() == 1 { "is" } else { "are" })
}

fn needing(names: &[ModuleName]) -> String {
    format!("{} {}", listed(names), if names.len() == 1 { "needs" } else { "need" })
}
