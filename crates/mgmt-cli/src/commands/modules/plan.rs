//! What has to be done so that the platform's modules are as a file wants them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::document::Wanted;

/// One step. Steps that wait for each other come in an order that works in most cases; `apply` tries again what is refused.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Step {
    pub(super) action: Action,
    pub(super) module: String,
    /// The fields that are sent, each with what it was.
    pub(super) fields: BTreeMap<String, Change>,
    /// Row version that the plan was made from; 0 for a module that is not registered.
    pub(super) version: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Create,
    Update,
    Enable,
    Disable,
}

impl Action {
    /// As Terraform marks them.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Create => "+ create",
            Self::Update => "~ update",
            Self::Enable => "> enable",
            Self::Disable => "< disable",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Change {
    pub(super) from: Value,
    pub(super) to: Value,
}

#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// Modules of the file that are already as wanted.
    pub(super) unchanged: Vec<String>,
    /// Modules of the platform that the file does not name.
    #[serde(rename = "leftAlone")]
    pub(super) left_alone: Vec<String>,
}

/// `current` is the API's list of modules.
pub(super) fn plan(wanted: &[Wanted], current: &[Value]) -> Plan {
    let registered: BTreeMap<&str, &Value> =
        current.iter().filter_map(|module| Some((module["name"].as_str()?, module))).collect();
    let mut plan = Plan::default();
    let (mut enables, mut disables) = (Vec::new(), Vec::new());
    for module in in_order(wanted) {
        let there = registered.get(module.name.as_str());
        let mut fields: BTreeMap<String, Change> = BTreeMap::new();
        for (field, to) in module.fields.iter().filter(|(field, _)| *field != "isEnabled") {
            let from = there.map_or(Value::Null, |there| there[field].clone());
            if there.is_none() || !same(field, &from, to) {
                fields.insert(field.clone(), Change { from, to: to.clone() });
            }
        }
        let version = there.and_then(|there| there["rowVersion"].as_i64()).unwrap_or(0);
        let step = |action, fields| Step { action, module: module.name.clone(), fields, version };
        let is_enabled = there.is_some_and(|there| there["isEnabled"] == true);
        let wants_enabled = module.fields.get("isEnabled").and_then(Value::as_bool).unwrap_or(is_enabled);
        let steps_before = plan.steps.len() + enables.len() + disables.len();
        match there {
            None => plan.steps.push(step(Action::Create, fields)),
            Some(_) if !fields.is_empty() => plan.steps.push(step(Action::Update, fields)),
            Some(_) => {}
        }
        match (is_enabled, wants_enabled) {
            (false, true) => enables.push(step(Action::Enable, BTreeMap::new())),
            // What needs others goes off before them.
            (true, false) => disables.insert(0, step(Action::Disable, BTreeMap::new())),
            _ => {}
        }
        if plan.steps.len() + enables.len() + disables.len() == steps_before {
            plan.unchanged.push(module.name.clone());
        }
    }
    plan.steps.extend(disables);
    plan.steps.extend(enables);
    let named: BTreeSet<&str> = wanted.iter().map(|module| module.name.as_str()).collect();
    plan.left_alone = registered.keys().filter(|name| !named.contains(*name)).map(|name| (*name).to_owned()).collect();
    plan
}

/// What is needed comes before what needs it; in a circle, which the platform will refuse, the file's order stays.
fn in_order(wanted: &[Wanted]) -> Vec<&Wanted> {
    let mut waiting: Vec<&Wanted> = wanted.iter().collect();
    let mut ordered: Vec<&Wanted> = Vec::new();
    while !waiting.is_empty() {
        let is_ready = |module: &&Wanted| !needs(module).any(|needed| waiting.iter().any(|other| other.name == needed));
        let place = waiting.iter().position(is_ready).unwrap_or(0);
        ordered.push(waiting.remove(place));
    }
    ordered
}

fn needs(module: &Wanted) -> impl Iterator<Item = &str> {
    let list = module.fields.get("dependencies").and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(|text| text.split('@').next().unwrap_or_default())
}

/// Whether a field already is what the file says; the platform fills in what an entry of the menu leaves out.
fn same(field: &str, from: &Value, to: &Value) -> bool {
    if field == "navConfig" { menu(from) == menu(to) } else { from == to }
}

fn menu(item: &Value) -> Value {
    let Some(item) = item.as_object() else { return item.clone() };
    let mut whole: Map<String, Value> = item.clone();
    if let Some(admin_only) = whole.remove("admin_only") {
        whole.insert("adminOnly".into(), admin_only);
    }
    for (field, default) in
        [("route", Value::Null), ("icon", Value::Null), ("order", json!(0)), ("adminOnly", json!(false))]
    {
        whole.entry(field).or_insert(default);
    }
    let children = whole.get("children").and_then(Value::as_array).into_iter().flatten().map(menu).collect::<Vec<_>>();
    whole.insert("children".into(), children.into());
    whole.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str, fields: &Value) -> Wanted {
        Wanted { name: name.to_owned(), fields: fields.as_object().unwrap().clone() }
    }

    fn steps(plan: &Plan) -> Vec<String> {
        plan.steps.iter().map(|step| format!("{} {}", step.action.mark(), step.module)).collect()
    }

    #[test]
    fn new_modules_come_in_the_order_in_which_they_need_each_other() {
        let file = [
            wanted("module-c", &json!({"dependencies": ["module-b@>=1"], "isEnabled": true})),
            wanted("module-b", &json!({"dependencies": ["module-a"], "isEnabled": true})),
            wanted("module-a", &json!({"isEnabled": true})),
        ];
        assert_eq!(
            steps(&plan(&file, &[])),
            [
                "+ create module-a",
                "+ create module-b",
                "+ create module-c",
                "> enable module-a",
                "> enable module-b",
                "> enable module-c"
            ]
        );
        let on =
            |name: &str, needs: Value| json!({"name": name, "isEnabled": true, "dependencies": needs, "rowVersion": 1});
        let current = [on("module-a", json!([])), on("module-b", json!(["module-a"])), on("module-z", json!([]))];
        let off = [
            wanted("module-a", &json!({"isEnabled": false})),
            wanted("module-b", &json!({"isEnabled": false, "dependencies": ["module-a"]})),
        ];
        let off = plan(&off, &current);
        assert_eq!(
            (steps(&off), off.left_alone),
            (vec!["< disable module-b".into(), "< disable module-a".into()], vec!["module-z".into()])
        );
    }

    #[test]
    fn what_is_as_wanted_stays() {
        let nav = json!({"label": "A", "route": "/a", "icon": null, "order": 0, "adminOnly": false, "children": []});
        let current = json!({"name": "module-a", "isEnabled": true, "tier": 2, "navConfig": nav, "config": {"x": 1}, "rowVersion": 4});
        let file = [wanted("module-a", &json!({"tier": 2, "navConfig": {"label": "A", "route": "/a"}}))];
        assert_eq!(plan(&file, std::slice::from_ref(&current)).unchanged, ["module-a"]);
        let file = [wanted("module-a", &json!({"tier": 1, "config": {"x": 1}}))];
        let change = &plan(&file, &[current]).steps[0];
        assert_eq!((change.action, change.fields.len(), change.version), (Action::Update, 1, 4));
    }
}
