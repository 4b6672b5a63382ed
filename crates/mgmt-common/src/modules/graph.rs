//! The graph of modules: what each is, what it needs, and who needs it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use module_mgmt_protocol::state::ModuleType;
use semver::Version;

use super::fault::Fault;
use super::name::ModuleName;
use super::requirement::Requirement;

/// A registered module, as far as the graph is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    pub name: ModuleName,
    pub module_type: ModuleType,
    /// 1 to 3; a module may need only modules of its own or a lower tier.
    pub tier: u8,
    pub is_enabled: bool,
    pub is_installed: bool,
    pub version: Version,
    pub min_compatible_version: Option<Version>,
    pub dependencies: Vec<Requirement>,
}

/// All registered modules.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    modules: BTreeMap<ModuleName, Module>,
    /// Who names whom in its dependencies.
    dependents: BTreeMap<ModuleName, BTreeSet<ModuleName>>,
}

impl Graph {
    pub fn new(modules: impl IntoIterator<Item = Module>) -> Self {
        let mut graph = Self::default();
        modules.into_iter().for_each(|module| graph.put(module));
        graph
    }

    /// Adds or replaces a module, whatever its faults.
    pub fn put(&mut self, module: Module) {
        if let Some(old) = self.modules.get(&module.name) {
            for needed in &old.dependencies {
                self.dependents.entry(needed.name.clone()).or_default().remove(&module.name);
            }
        }
        for needed in &module.dependencies {
            self.dependents.entry(needed.name.clone()).or_default().insert(module.name.clone());
        }
        self.modules.insert(module.name.clone(), module);
    }

    pub fn get(&self, name: &ModuleName) -> Option<&Module> {
        self.modules.get(name)
    }

    pub fn modules(&self) -> impl Iterator<Item = &Module> {
        self.modules.values()
    }

    /// Who names this module in its dependencies.
    pub fn direct_dependents(&self, name: &ModuleName) -> impl Iterator<Item = &Module> {
        self.dependents.get(name).into_iter().flatten().filter_map(|dependent| self.modules.get(dependent))
    }

    /// What is wrong with a module's own definition, whether it is enabled or not.
    pub fn faults(&self, module: &Module) -> Vec<Fault> {
        let mut seen = BTreeSet::new();
        let each = module.dependencies.iter().enumerate();
        each.filter_map(|(index, needed)| {
            let fault = if needed.name == module.name {
                Fault::Itself { index }
            } else if !seen.insert(&needed.name) {
                Fault::Repeated { index, name: needed.name.clone() }
            } else {
                self.fault_of(module, index, needed)?
            };
            Some(fault)
        })
        .collect()
    }

    fn fault_of(&self, module: &Module, index: usize, needed: &Requirement) -> Option<Fault> {
        let name = needed.name.clone();
        let Some(dependency) = self.get(&needed.name) else { return Some(Fault::Missing { index, name }) };
        if let Some(path) = self.path(&needed.name, &module.name) {
            return Some(Fault::Cycle { index, path });
        }
        if dependency.tier > module.tier {
            return Some(Fault::HigherTier { index, name, tier: dependency.tier, own: module.tier });
        }
        let minimum = dependency.min_compatible_version.as_ref()?;
        let below = needed.is_below(minimum);
        below.then(|| Fault::BelowMinimum { index, requirement: needed.clone(), minimum: minimum.clone() })
    }

    /// The shortest way along dependencies from one module to another, both included.
    fn path(&self, from: &ModuleName, to: &ModuleName) -> Option<Vec<ModuleName>> {
        let mut came_from: BTreeMap<&ModuleName, Option<&ModuleName>> = BTreeMap::from([(from, None)]);
        let mut queue = VecDeque::from([from]);
        while let Some(current) = queue.pop_front() {
            if current == to {
                let mut path: Vec<ModuleName> =
                    std::iter::successors(Some(current), |step| came_from.get(step).copied().flatten())
                        .cloned()
                        .collect();
                path.reverse();
                return Some(path);
            }
            for needed in self.get(current).into_iter().flat_map(|module| &module.dependencies) {
                came_from.entry(&needed.name).or_insert_with(|| {
                    queue.push_back(&needed.name);
                    Some(current)
                });
            }
        }
        None
    }

    /// Why a dependency, as it is now, does not carry a module that is enabled; `None` when it does.
    pub fn unmet(&self, needed: &Requirement) -> Option<Unmet> {
        let name = needed.name.clone();
        let Some(dependency) = self.get(&needed.name) else { return Some(Unmet { name, why: Why::Missing }) };
        let why = if !dependency.is_installed {
            Why::NotInstalled
        } else if !needed.accepts(&dependency.version) {
            Why::Version { has: dependency.version.clone(), wanted: needed.clone() }
        } else if dependency.min_compatible_version.as_ref().is_some_and(|minimum| needed.is_below(minimum)) {
            Why::BelowMinimum { wanted: needed.clone() }
        } else if !dependency.is_enabled {
            Why::Disabled
        } else {
            return None;
        };
        Some(Unmet { name, why })
    }
}

/// A dependency that is not as an enabled module needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    pub name: ModuleName,
    pub why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    Missing,
    NotInstalled,
    Disabled,
    Version { has: Version, wanted: Requirement },
    BelowMinimum { wanted: Requirement },
}

impl std::fmt::Display for Unmet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = &self.name;
        match &self.why {
            Why::Missing => write!(f, "{name} is not registered"),
            Why::NotInstalled => write!(f, "{name} is not installed"),
            Why::Disabled => write!(f, "{name} is disabled"),
            Why::Version { has, wanted } => write!(f, "{name} has version {has}, which {wanted} does not accept"),
            Why::BelowMinimum { wanted } => {
                write!(f, "{wanted} asks for versions that {name} is no longer compatible with")
            }
        }
    }
}
