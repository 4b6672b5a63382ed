//! The Lambda functions that modules want warm while they are on.

use std::collections::BTreeMap;

use module_mgmt_protocol::decision::Permissions;
use module_mgmt_protocol::effective::{ModuleFacts, decide_all};
use serde::Deserialize;
use serde_json::Value;

use crate::schedule::functions::{WarmFunction, parse_list};

/// A module and its `functions`, as they are stored.
#[derive(Debug, Clone, Copy)]
pub struct ModuleTargets<'a> {
    pub facts: ModuleFacts<'a>,
    pub functions: &'a Value,
}

/// A row of the registry as far as warming is concerned.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ModuleFunctions {
    pub module_name: String,
    pub is_enabled: bool,
    pub is_installed: bool,
    pub dependencies: Vec<String>,
    pub functions: Value,
}

impl ModuleFunctions {
    /// For the platform as a whole: what one organisation switches off stays warm for the others.
    pub fn targets(&self) -> ModuleTargets<'_> {
        let facts = ModuleFacts {
            name: &self.module_name,
            is_enabled: self.is_enabled,
            is_installed: self.is_installed,
            org_on: true,
            dependencies: &self.dependencies,
            required_permissions: &[],
        };
        ModuleTargets { facts, functions: &self.functions }
    }
}

/// A function to keep warm, and the module that wants it; `None`: the schedule itself names it.
#[derive(Debug, Clone, PartialEq)]
pub struct WarmTarget {
    pub module: Option<String>,
    pub function: WarmFunction,
}

/// What is wanted, and which modules' functions cannot be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MergedTargets {
    /// The schedule's own first, then those of modules; each function and qualifier once.
    pub functions: Vec<WarmTarget>,
    /// One sentence per module whose functions were edited by hand into something unreadable.
    pub faults: Vec<String>,
}

/// Joins what the schedule names with what the modules that are on for the platform want. The schedule's own entry wins over a
/// module's for the same function; of two modules the one that wants more instances.
pub fn merge_targets(of_schedule: &[WarmFunction], modules: &[ModuleTargets<'_>]) -> MergedTargets {
    let own = of_schedule.iter().map(|function| WarmTarget { module: None, function: function.clone() });
    let mut functions: Vec<WarmTarget> = own.collect();
    let mut places: BTreeMap<(String, String), usize> =
        functions.iter().enumerate().map(|(place, wanted)| (key(&wanted.function), place)).collect();
    let mut faults = Vec::new();

    let facts: Vec<ModuleFacts<'_>> = modules.iter().map(|module| module.facts).collect();
    let on = decide_all(&facts, &Permissions::All);
    for (module, _) in modules.iter().zip(on).filter(|(_, decision)| decision.is_on()) {
        let name = module.facts.name;
        let list = match parse_list(module.functions, "/functions") {
            Ok(list) => list,
            Err(errors) => {
                let first = errors.first().map(|error| format!("{} {}", error.pointer, error.message));
                faults.push(format!("the functions of {name} cannot be read: {}", first.unwrap_or_default()));
                continue;
            }
        };
        for function in list {
            match places.get(&key(&function)) {
                None => {
                    places.insert(key(&function), functions.len());
                    functions.push(WarmTarget { module: Some(name.to_owned()), function });
                }
                Some(&place) => {
                    let there = &mut functions[place];
                    if there.module.is_some() && there.function.concurrency < function.concurrency {
                        *there = WarmTarget { module: Some(name.to_owned()), function };
                    }
                }
            }
        }
    }
    MergedTargets { functions, faults }
}

/// Lambda itself reads an absent qualifier as `$LATEST`.
fn key(function: &WarmFunction) -> (String, String) {
    (function.name.clone(), function.qualifier.clone().unwrap_or_else(|| "$LATEST".to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn source<'a>(name: &'a str, is_enabled: bool, functions: &'a Value) -> ModuleTargets<'a> {
        let facts = ModuleFacts {
            name,
            is_enabled,
            is_installed: true,
            org_on: true,
            dependencies: &[],
            required_permissions: &[],
        };
        ModuleTargets { facts, functions }
    }

    #[test]
    fn the_functions_of_modules_that_are_on_join_the_schedules_own() {
        let own = parse_list(&json!(["orders"]), "").unwrap();
        let (a, b) =
            (json!([{"name": "orders", "concurrency": 9}, "reports"]), json!([{"name": "reports", "concurrency": 3}]));
        let (off, broken) = (json!(["never"]), json!([7]));
        let sources = [
            source("module-a", true, &a),
            source("module-b", true, &b),
            source("module-off", false, &off),
            source("module-broken", true, &broken),
        ];
        let merged = merge_targets(&own, &sources);
        let told: Vec<_> = merged
            .functions
            .iter()
            .map(|wanted| (wanted.function.name.as_str(), wanted.function.concurrency, wanted.module.as_deref()))
            .collect();
        assert_eq!(told, [("orders", 1, None), ("reports", 3, Some("module-b"))]);
        assert_eq!(merged.faults.len(), 1);
        assert!(merged.faults[0].contains("module-broken"), "{:?}", merged.faults);
    }

    #[test]
    fn of_two_modules_that_want_as_much_the_first_stays_and_an_absent_qualifier_is_latest() {
        let check = |a: Value, b: Value, expected: &[(&str, u16)]| {
            let sources = [source("module-a", true, &a), source("module-b", true, &b)];
            let merged = merge_targets(&[], &sources).functions;
            let told: Vec<(&str, u16)> = merged
                .iter()
                .map(|wanted| (wanted.module.as_deref().unwrap_or_default(), wanted.function.concurrency))
                .collect();
            assert_eq!(told, expected, "{a} {b}");
        };
        let fn_with = |qualifier: Value, concurrency: u16| json!([{"name": "fn", "qualifier": qualifier, "concurrency": concurrency}]);
        check(fn_with(Value::Null, 3), fn_with(Value::Null, 3), &[("module-a", 3)]);
        check(fn_with(Value::Null, 3), fn_with(Value::Null, 2), &[("module-a", 3)]);
        check(fn_with(Value::Null, 3), fn_with(json!("$LATEST"), 4), &[("module-b", 4)]);
        check(fn_with(Value::Null, 3), fn_with(json!("live"), 4), &[("module-a", 3), ("module-b", 4)]);
    }

    #[test]
    fn what_a_row_of_the_registry_says_is_what_counts() {
        let row = |is_enabled, is_installed| ModuleFunctions {
            module_name: "module-a".to_owned(),
            is_enabled,
            is_installed,
            dependencies: Vec::new(),
            functions: json!(["fn"]),
        };
        for (is_enabled, is_installed) in [(true, true), (true, false), (false, true)] {
            let row = row(is_enabled, is_installed);
            let found = merge_targets(&[], &[row.targets()]).functions;
            assert_eq!(found.len(), usize::from(is_enabled && is_installed), "{row:?}");
        }
        let needs_another = ModuleFunctions { dependencies: vec!["module-none".to_owned()], ..row(true, true) };
        assert!(merge_targets(&[], &[needs_another.targets()]).functions.is_empty());
    }
}
