//! Whether a use counts: the one decision about modules, asked for the moment at which the use happened.
//!
//! What happened while a module was on counts, however late it comes. So a module that is off refuses only what happened since it
//! is off; where that is not known (it is not installed), it refuses everything.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use module_mgmt_protocol::decision::{Decision, Permissions, Reason};
use module_mgmt_protocol::effective::{Dependencies, ModuleFacts, decide_along};
use module_mgmt_protocol::usage::reject_reason::RejectReason;
use serde::Deserialize;

use super::check::CheckedEvent;
use super::refusal::Refusal;
use super::window;

/// A module and what switches it off.
#[derive(Debug, Clone, Deserialize)]
pub struct ModuleHistory {
    pub name: String,
    pub is_enabled: bool,
    pub is_installed: bool,
    pub is_deleted: bool,
    pub disabled_at: Option<Timestamp>,
    pub dependencies: Vec<String>,
    /// Organisations that have switched it off, and when their override last changed.
    pub off_for: BTreeMap<String, Timestamp>,
}

/// What a batch is judged by besides its modules.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub now: Timestamp,
    pub max_age_days: u16,
    /// What the caller's organisation may send in a minute; `None`: as much as it likes. Postgres counts.
    pub events_per_minute: Option<i32>,
}

/// Judges the events of one batch. What a module is for an organisation is decided once.
pub struct Judge {
    modules: Vec<ModuleHistory>,
    places: BTreeMap<String, usize>,
    dependencies: Dependencies,
    organisations: BTreeMap<String, Vec<Standing>>,
    rules: Rules,
}

/// What a module is for one organisation.
#[derive(Debug, Clone, Copy)]
struct Standing {
    /// A use was made by somebody who had the permission then, so permissions are no question here.
    decision: Decision,
    /// Since when it is off; `None` where that is not known.
    off_since: Option<Timestamp>,
}

impl Judge {
    pub fn new(modules: Vec<ModuleHistory>, organisations: &BTreeSet<&str>, rules: Rules) -> Self {
        let places = modules.iter().enumerate().map(|(place, module)| (module.name.clone(), place)).collect();
        let dependencies =
            Dependencies::of(modules.iter().map(|module| (module.name.as_str(), module.dependencies.as_slice())));
        let mut judge = Self { modules, places, dependencies, organisations: BTreeMap::new(), rules };
        let decided = organisations.iter().map(|org| ((*org).to_owned(), judge.standings(org))).collect();
        judge.organisations = decided;
        judge
    }

    /// Whether what an organisation used counts.
    ///
    /// # Errors
    /// Why not: no such module, outside the window, or the module was off at that moment.
    pub fn judge(&self, event: &CheckedEvent<'_>, organisation: &str) -> Result<(), Refusal> {
        // What a deleted module's users did before counts: it has a row that knows when it was disabled.
        let place = *self.places.get(event.module_name.as_ref()).ok_or_else(unknown)?;
        self.in_window(event)?;
        let standing =
            self.organisations.get(organisation).and_then(|modules| modules.get(place)).ok_or_else(unknown)?;
        match standing.decision.reason() {
            None => Ok(()),
            Some(_) if standing.off_since.is_some_and(|since| event.occurred_at < since) => Ok(()),
            Some(_) if self.modules[place].is_deleted => Err(unknown()),
            Some(reason) => Err(was_off(reason)),
        }
    }

    /// Both times: the id's decides where the event is stored, the other one what it counts for.
    fn in_window(&self, event: &CheckedEvent<'_>) -> Result<(), Refusal> {
        let Rules { now, max_age_days, .. } = self.rules;
        for (pointer, time) in [("/occurredAt", event.occurred_at), ("/id", event.id_time)] {
            window::check(time, now, max_age_days).map_err(|reason| {
                let message = format!("its time {time} is not between {max_age_days} days ago and 24 hours ahead");
                Refusal::new(reason, pointer, message)
            })?;
        }
        Ok(())
    }

    fn standings(&self, organisation: &str) -> Vec<Standing> {
        let facts: Vec<ModuleFacts<'_>> = self.modules.iter().map(|module| module.facts(organisation)).collect();
        let decisions = decide_along(&facts, &self.dependencies, &Permissions::All);
        let mut standings: Vec<Standing> =
            decisions.into_iter().map(|decision| Standing { decision, off_since: None }).collect();
        for place in self.dependencies.in_order() {
            let module = &self.modules[place];
            standings[place].off_since = match standings[place].decision.reason() {
                Some(Reason::PlatformOff) => module.disabled_at,
                Some(Reason::OrgOff) => module.off_for.get(organisation).copied(),
                Some(Reason::DependencyOff) => self.first_off(place, &standings),
                _ => None,
            };
        }
        standings
    }

    /// Off since the first of what it needs went off; one that has always been missing, or a cycle, makes that unknown.
    fn first_off(&self, place: usize, standings: &[Standing]) -> Option<Timestamp> {
        let mut first: Option<Timestamp> = None;
        for needed in self.dependencies.of_module(place) {
            let needed = &standings[(*needed)?];
            if !needed.decision.is_on() {
                let since = needed.off_since?;
                first = Some(first.map_or(since, |first| first.min(since)));
            }
        }
        first
    }
}

impl ModuleHistory {
    fn facts(&self, organisation: &str) -> ModuleFacts<'_> {
        ModuleFacts {
            name: &self.name,
            is_enabled: self.is_enabled,
            is_installed: self.is_installed,
            org_on: !self.off_for.contains_key(organisation),
            dependencies: &self.dependencies,
            required_permissions: &[],
        }
    }
}

fn unknown() -> Refusal {
    Refusal::new(RejectReason::UnknownModule, "/moduleName", "no such module is registered")
}

fn was_off(reason: Reason) -> Refusal {
    let (reason, words) = match reason {
        Reason::PlatformOff => (RejectReason::PlatformOff, "the module was disabled before this happened"),
        Reason::OrgOff => (RejectReason::OrgOff, "the organisation had switched the module off when this happened"),
        Reason::DependencyOff => {
            (RejectReason::DependencyOff, "a module that this one needs was off when this happened")
        }
        // The others cannot be: permissions are no question here.
        _ => (RejectReason::NotInstalled, "the module is not installed"),
    };
    Refusal::new(reason, "/moduleName", words)
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
