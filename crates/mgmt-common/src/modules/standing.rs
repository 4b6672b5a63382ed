//! Where every module stands for one organisation: the decision applied along the dependencies.

use std::collections::BTreeMap;

use super::decision::{Decision, Facts, Permissions, decide};

/// A module as the registry and one organisation's override have it.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    pub name: &'a str,
    pub is_enabled: bool,
    pub is_installed: bool,
    /// False where the organisation has switched it off.
    pub org_on: bool,
    /// As registered: names, with or without `@` and versions.
    pub dependencies: &'a [String],
    pub required_permissions: &'a [String],
}

/// The decision for each entry, in the order given. What a dependency demands of its users does not pass on: only whether the
/// dependency itself is on. One that is not among the entries counts as off.
pub fn decisions(entries: &[Entry<'_>], caller: &Permissions<'_>) -> Vec<Decision> {
    let dependencies_on = Resolver::new(entries).resolve();
    let each = entries.iter().zip(dependencies_on);
    each.map(|(entry, dependencies_on)| decide(&entry.facts(dependencies_on), caller)).collect()
}

impl<'a> Entry<'a> {
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

/// Walks the dependencies without recursion: a chain may be longer than the stack.
struct Resolver<'a> {
    entries: &'a [Entry<'a>],
    by_name: BTreeMap<&'a str, usize>,
    visits: Vec<Visit>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Visit {
    None,
    /// What it needs is looked at first. Whoever meets it now is part of a cycle, which counts as off.
    Waiting,
    Done {
        dependencies_on: bool,
    },
}

impl<'a> Resolver<'a> {
    fn new(entries: &'a [Entry<'a>]) -> Self {
        let by_name = entries.iter().enumerate().map(|(index, entry)| (entry.name, index)).collect();
        Self { entries, by_name, visits: vec![Visit::None; entries.len()] }
    }

    fn resolve(mut self) -> Vec<bool> {
        let mut waiting: Vec<usize> = (0..self.entries.len()).rev().collect();
        while let Some(&index) = waiting.last() {
            if self.visits[index] == Visit::None {
                self.visits[index] = Visit::Waiting;
                let needed = self.dependencies(index).flatten().filter(|&needed| self.visits[needed] == Visit::None);
                waiting.extend(needed.collect::<Vec<_>>());
            } else {
                if self.visits[index] == Visit::Waiting {
                    let dependencies_on =
                        self.dependencies(index).all(|needed| needed.is_some_and(|needed| self.is_on(needed)));
                    self.visits[index] = Visit::Done { dependencies_on };
                }
                waiting.pop();
            }
        }
        self.visits.iter().map(|visit| *visit == Visit::Done { dependencies_on: true }).collect()
    }

    fn dependencies(&self, index: usize) -> impl Iterator<Item = Option<usize>> {
        let names = self.entries[index].dependencies.iter();
        names.map(|needed| self.by_name.get(needed.split('@').next().unwrap_or_default()).copied())
    }

    fn is_on(&self, index: usize) -> bool {
        match self.visits[index] {
            Visit::Done { dependencies_on } => {
                decide(&self.entries[index].facts(dependencies_on), &Permissions::All).is_on()
            }
            Visit::None | Visit::Waiting => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::decision::Reason;

    fn entry<'a>(name: &'a str, dependencies: &'a [String]) -> Entry<'a> {
        Entry { name, is_enabled: true, is_installed: true, org_on: true, dependencies, required_permissions: &[] }
    }

    fn reasons(entries: &[Entry<'_>]) -> Vec<Option<Reason>> {
        decisions(entries, &Permissions::Claim("")).into_iter().map(Decision::reason).collect()
    }

    #[test]
    fn what_an_organisation_switches_off_takes_its_dependents_along() {
        let (on_a, on_b) = (["module-a@>=1".to_owned()], ["module-b".to_owned()]);
        let mut entries = [entry("module-c", &on_b), entry("module-b", &on_a), entry("module-a", &[])];
        assert_eq!(reasons(&entries), [None, None, None]);
        entries[2].org_on = false;
        assert_eq!(reasons(&entries), [Some(Reason::DependencyOff), Some(Reason::DependencyOff), Some(Reason::OrgOff)]);
    }

    #[test]
    fn a_permission_that_a_dependency_requires_is_no_matter_of_its_dependents() {
        let (on_a, required) = (["module-a".to_owned()], ["a.use".to_owned()]);
        let needed = Entry { required_permissions: &required, ..entry("module-a", &[]) };
        assert_eq!(reasons(&[needed, entry("module-b", &on_a)]), [Some(Reason::PermissionMissing), None]);
    }

    #[test]
    fn missing_and_circular_dependencies_are_off() {
        let (on_x, on_a, on_b) = (["module-x".to_owned()], ["module-a".to_owned()], ["module-b".to_owned()]);
        let off = Some(Reason::DependencyOff);
        assert_eq!(reasons(&[entry("module-a", &on_x)]), [off]);
        assert_eq!(reasons(&[entry("module-a", &on_a)]), [off]);
        assert_eq!(
            reasons(&[entry("module-a", &on_b), entry("module-b", &on_a), entry("module-c", &on_a)]),
            [off, off, off]
        );
    }

    #[test]
    fn a_chain_of_ten_thousand_is_no_deep_stack() {
        let names: Vec<String> = (0..10_000).map(|n| format!("module-m{n}")).collect();
        let needs: Vec<Vec<String>> = (0..10_000).map(|n| names.get(n + 1).cloned().into_iter().collect()).collect();
        let mut entries: Vec<Entry<'_>> = names.iter().zip(&needs).map(|(name, needs)| entry(name, needs)).collect();
        assert!(reasons(&entries).iter().all(Option::is_none));
        entries[9_999].is_installed = false;
        assert_eq!(reasons(&entries)[0], Some(Reason::DependencyOff));
    }
}
