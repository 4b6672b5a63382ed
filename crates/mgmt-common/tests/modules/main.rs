//! The graph of modules: what holds for any graph, and each rule by example.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

mod any_graph;
mod rules;

use mgmt_common::modules::graph::{Graph, Module};
use mgmt_common::modules::name::ModuleName;
use mgmt_common::modules::requirement::Requirement;
use module_mgmt_protocol::state::ModuleType;
use semver::Version;

fn name(short: &str) -> ModuleName {
    ModuleName::parse(&format!("module-{short}")).unwrap()
}

/// A functional module of tier 3, installed, version 1.0.0.
fn module(short: &str, is_enabled: bool, needs: &[&str]) -> Module {
    Module {
        name: name(short),
        module_type: ModuleType::Functional,
        tier: 3,
        is_enabled,
        is_installed: true,
        version: Version::new(1, 0, 0),
        min_compatible_version: None,
        dependencies: needs.iter().map(|needed| Requirement::parse(&format!("module-{needed}")).unwrap()).collect(),
    }
}

fn short(names: &[ModuleName]) -> Vec<String> {
    names.iter().map(|name| name.as_str().trim_start_matches("module-").to_owned()).collect()
}

/// The promise of the registry: what is enabled has all that it needs.
fn is_sound(graph: &Graph) -> bool {
    graph
        .modules()
        .filter(|module| module.is_enabled)
        .all(|module| module.dependencies.iter().all(|needed| graph.unmet(needed).is_none()))
}
