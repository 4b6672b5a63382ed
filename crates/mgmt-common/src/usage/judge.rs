//! Whether a use counts: the one decision about modules, asked for the moment at which the use happened.
//!
//! What happened while a module was on counts, however late it comes. So a module that is off refuses only what happened since it
//! is off; where that is not known (it is not installed), it refuses everything.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::item::Refusal;
use crate::modules::decision::{Decision, Permissions, Reason};
use crate::modules::standing::{Entry, decisions};

/// A module and what switches it off.
#[derive(Debug, Clone, Deserialize)]
pub struct ModuleRow {
    pub name: String,
    pub is_enabled: bool,
    pub is_installed: bool,
    pub is_deleted: bool,
    pub disabled_at: Option<Timestamp>,
    pub dependencies: Vec<String>,
    /// Organisations that have switched it off, and when their override last changed.
    pub off_for: BTreeMap<String, Timestamp>,
}

/// Every module, and the decision for each organisation of a batch. A use was made by somebody who had the permission then, so
/// permissions are no question here.
pub struct States {
    modules: BTreeMap<String, ModuleRow>,
    decisions: BTreeMap<String, BTreeMap<String, Decision>>,
}

impl States {
    pub fn new(modules: Vec<ModuleRow>, orgs: &BTreeSet<String>) -> Self {
        let decide = |org: &String| {
            let entries: Vec<Entry<'_>> = modules.iter().map(|module| entry(module, org)).collect();
            let names = modules.iter().map(|module| module.name.clone());
            (org.clone(), names.zip(decisions(&entries, &Permissions::All)).collect())
        };
        let decisions = orgs.iter().map(decide).collect();
        Self { modules: modules.into_iter().map(|module| (module.name.clone(), module)).collect(), decisions }
    }

    /// # Errors
    /// No such module was ever registered.
    pub fn known(&self, name: &str) -> Result<(), Refusal> {
        match self.modules.get(name) {
            // What a deleted module's users did before counts: `judge` knows when it was disabled.
            Some(_) => Ok(()),
            None => Err(unknown()),
        }
    }

    /// Whether what an organisation used at a moment counts.
    ///
    /// # Errors
    /// Why the module was off for it then.
    pub fn judge(&self, name: &str, org: &str, occurred_at: Timestamp) -> Result<(), Refusal> {
        let decision = self.decisions.get(org).and_then(|modules| modules.get(name));
        let Some(reason) = decision.ok_or_else(unknown)?.reason() else { return Ok(()) };
        if self.since(name, org, reason, 0).is_some_and(|since| occurred_at < since) {
            return Ok(());
        }
        let is_deleted = self.modules.get(name).is_some_and(|module| module.is_deleted);
        if is_deleted {
            return Err(unknown());
        }
        let words = match reason {
            Reason::PlatformOff => "the module was disabled before this happened",
            Reason::NotInstalled => "the module is not installed",
            Reason::DependencyOff => "a module that this one needs was off when this happened",
            Reason::OrgOff => "the organisation had switched the module off when this happened",
            Reason::PermissionMissing => "the caller lacks a permission",
        };
        Err(Refusal::new(reason.as_str(), "/moduleName", words))
    }

    /// Since when a module is off; `None` where that is not known. Dependencies cannot be deeper than there are modules.
    fn since(&self, name: &str, org: &str, reason: Reason, depth: usize) -> Option<Timestamp> {
        let module = self.modules.get(name).filter(|_| depth <= self.modules.len().min(64))?;
        match reason {
            Reason::PlatformOff => module.disabled_at,
            Reason::OrgOff => module.off_for.get(org).copied(),
            Reason::NotInstalled | Reason::PermissionMissing => None,
            Reason::DependencyOff => {
                let needed = module.dependencies.iter().map(|needed| needed.split('@').next().unwrap_or_default());
                // Off since the first of them went; one that has always been missing makes that unknown.
                let mut first = None;
                for needed in needed {
                    let reason = self.decisions.get(org)?.get(needed)?.reason();
                    if let Some(reason) = reason {
                        let since = self.since(needed, org, reason, depth + 1)?;
                        first = Some(first.map_or(since, |first: Timestamp| first.min(since)));
                    }
                }
                first
            }
        }
    }
}

fn unknown() -> Refusal {
    Refusal::new("unknown_module", "/moduleName", "no such module is registered")
}

fn entry<'a>(module: &'a ModuleRow, org: &str) -> Entry<'a> {
    Entry {
        name: &module.name,
        is_enabled: module.is_enabled,
        is_installed: module.is_installed,
        org_on: !module.off_for.contains_key(org),
        dependencies: &module.dependencies,
        required_permissions: &[],
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
