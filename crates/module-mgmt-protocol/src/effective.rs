//! Which modules are effectively on for one organisation: the decision applied along the dependencies.

mod dependencies;

pub use dependencies::Dependencies;

use crate::decision::{Decision, Facts, Permissions, decide};

/// A module as the registry and one organisation's override have it.
#[derive(Debug, Clone, Copy)]
pub struct ModuleFacts<'a> {
    pub name: &'a str,
    pub is_enabled: bool,
    pub is_installed: bool,
    /// False where the organisation has switched it off.
    pub org_on: bool,
    /// As registered: names, with or without `@` and versions.
    pub dependencies: &'a [String],
    pub required_permissions: &'a [String],
}

/// The decision for each module, in the order given. What a dependency demands of its users does not pass on: only whether the
/// dependency itself is on. One that is not among them counts as off, and so does all of a cycle.
pub fn decide_all(modules: &[ModuleFacts<'_>], caller: &Permissions<'_>) -> Vec<Decision> {
    let dependencies = Dependencies::of(modules.iter().map(|module| (module.name, module.dependencies)));
    decide_along(modules, &dependencies, caller)
}

/// [`decide_all`] for whoever has the modules' dependencies already.
pub fn decide_along(
    modules: &[ModuleFacts<'_>],
    dependencies: &Dependencies,
    caller: &Permissions<'_>,
) -> Vec<Decision> {
    let mut facts: Vec<Facts<'_>> = modules.iter().map(|module| module.facts(false)).collect();
    // What has not been looked at yet counts as off.
    let mut is_on = vec![false; modules.len()];
    for place in dependencies.in_order() {
        facts[place].dependencies_on =
            dependencies.of_module(place).iter().all(|needed| needed.is_some_and(|needed| is_on[needed]));
        is_on[place] = decide(&facts[place], &Permissions::All).is_on();
    }
    facts.iter().map(|facts| decide(facts, caller)).collect()
}

impl<'a> ModuleFacts<'a> {
    fn facts(&self, dependencies_on: bool) -> Facts<'a> {
        Facts {
            is_enabled: self.is_enabled,
            is_installed: self.is_installed,
            dependencies_on,
            org_on: self.org_on,
            required_permissions: self.required_permissions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::Reason;

    fn module<'a>(name: &'a str, dependencies: &'a [String]) -> ModuleFacts<'a> {
        ModuleFacts {
            name,
            is_enabled: true,
            is_installed: true,
            org_on: true,
            dependencies,
            required_permissions: &[],
        }
    }

    fn reasons(modules: &[ModuleFacts<'_>]) -> Vec<Option<Reason>> {
        decide_all(modules, &Permissions::Claim("")).into_iter().map(Decision::reason).collect()
    }

    #[test]
    fn what_an_organisation_switches_off_takes_its_dependents_along() {
        let (on_a, on_b) = (["module-a@>=1".to_owned()], ["module-b".to_owned()]);
        let mut modules = [module("module-c", &on_b), module("module-b", &on_a), module("module-a", &[])];
        assert_eq!(reasons(&modules), [None, None, None]);
        modules[2].org_on = false;
        assert_eq!(reasons(&modules), [Some(Reason::DependencyOff), Some(Reason::DependencyOff), Some(Reason::OrgOff)]);
    }

    #[test]
    fn a_permission_that_a_dependency_requires_is_no_matter_of_its_dependents() {
        let (on_a, required) = (["module-a".to_owned()], ["a.use".to_owned()]);
        let needed = ModuleFacts { required_permissions: &required, ..module("module-a", &[]) };
        assert_eq!(reasons(&[needed, module("module-b", &on_a)]), [Some(Reason::PermissionMissing), None]);
    }

    #[test]
    fn missing_and_circular_dependencies_are_off() {
        let (on_x, on_a, on_b) = (["module-x".to_owned()], ["module-a".to_owned()], ["module-b".to_owned()]);
        let off = Some(Reason::DependencyOff);
        assert_eq!(reasons(&[module("module-a", &on_x)]), [off]);
        assert_eq!(reasons(&[module("module-a", &on_a)]), [off]);
        assert_eq!(
            reasons(&[module("module-a", &on_b), module("module-b", &on_a), module("module-c", &on_a)]),
            [off, off, off]
        );
    }

    #[test]
    fn a_chain_of_ten_thousand_is_no_deep_stack() {
        let names: Vec<String> = (0..10_000).map(|n| format!("module-m{n}")).collect();
        let needs: Vec<Vec<String>> = (0..10_000).map(|n| names.get(n + 1).cloned().into_iter().collect()).collect();
        let mut modules: Vec<ModuleFacts<'_>> =
            names.iter().zip(&needs).map(|(name, needs)| module(name, needs)).collect();
        assert!(reasons(&modules).iter().all(Option::is_none));
        modules[9_999].is_installed = false;
        assert_eq!(reasons(&modules)[0], Some(Reason::DependencyOff));
    }
}
