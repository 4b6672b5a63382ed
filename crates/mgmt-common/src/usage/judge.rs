//! Whether a use counts: the one decision about modules, asked for the moment at which the use happened.
//!
//! What happened while a module was on counts, however late it comes. So a module that is off refuses only what happened since it
//! is off; where that is not known (it is not installed), it refuses everything.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use module_mgmt_protocol::decision::{Decision, Permissions, Reason};
use module_mgmt_protocol::effective::{ModuleFacts, decide_all};
use serde::Deserialize;

use super::check::CheckedEvent;
use super::refusal::Refusal;
use super::window;
use module_mgmt_protocol::usage::reject_reason::RejectReason;

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
}

/// Judges the events of one batch. What a module is for an organisation is decided once.
pub struct Judge {
    modules: Vec<ModuleHistory>,
    places: BTreeMap<String, usize>,
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
        let mut judge = Self { modules, places, organisations: BTreeMap::new(), rules };
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
        let Rules { now, max_age_days } = self.rules;
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
        let decisions = decide_all(&facts, &Permissions::All);
        let off_since = self.off_since(&decisions, organisation);
        let each = decisions.into_iter().zip(off_since);
        each.map(|(decision, off_since)| Standing { decision, off_since }).collect()
    }

    /// Each module once, after those that it needs, without recursion: a chain may be longer than the stack.
    fn off_since(&self, decisions: &[Decision], organisation: &str) -> Vec<Option<Timestamp>> {
        let mut visits = vec![Visit::None; self.modules.len()];
        let mut waiting: Vec<usize> = (0..self.modules.len()).rev().collect();
        while let Some(&place) = waiting.last() {
            if visits[place] == Visit::None {
                visits[place] = Visit::Waiting;
                let needed = self.off_dependencies(place, decisions).flatten();
                waiting.extend(needed.filter(|&needed| visits[needed] == Visit::None).collect::<Vec<_>>());
                continue;
            }
            if visits[place] == Visit::Waiting {
                let module = &self.modules[place];
                let since = match decisions[place].reason() {
                    Some(Reason::PlatformOff) => module.disabled_at,
                    Some(Reason::OrgOff) => module.off_for.get(organisation).copied(),
                    Some(Reason::DependencyOff) => self.first_off(place, decisions, &visits),
                    _ => None,
                };
                visits[place] = Visit::Done(since);
            }
            waiting.pop();
        }
        visits.into_iter().map(|visit| if let Visit::Done(since) = visit { since } else { None }).collect()
    }

    /// Off since the first of what it needs went off; one that has always been missing, or a cycle, makes that unknown.
    fn first_off(&self, place: usize, decisions: &[Decision], visits: &[Visit]) -> Option<Timestamp> {
        let mut first: Option<Timestamp> = None;
        for needed in self.off_dependencies(place, decisions) {
            let Visit::Done(since) = visits[needed?] else { return None };
            let since = since?;
            first = Some(first.map_or(since, |first| first.min(since)));
        }
        first
    }

    /// What a module needs and is off; `None` for what is not registered.
    fn off_dependencies(&self, place: usize, decisions: &[Decision]) -> impl Iterator<Item = Option<usize>> {
        let names = self.modules[place].dependencies.iter().map(|needed| needed.split('@').next().unwrap_or_default());
        let places = names.map(|name| self.places.get(name).copied());
        places.filter(|place| place.is_none_or(|place| !decisions[place].is_on()))
    }
}

/// How far the walk over the dependencies has come with a module.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Visit {
    None,
    /// What it needs is looked at first. Whoever meets it now is part of a cycle.
    Waiting,
    Done(Option<Timestamp>),
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
