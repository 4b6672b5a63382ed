//! What switching a module would do, told before it is done.

use std::collections::BTreeSet;

use mgmt_common::modules::name::ModuleName;
use mgmt_common::modules::plan::{Plan, Refusal};
use mgmt_common::schedule::config::WarmingConfig;
use mgmt_common::schedule::functions::WarmFunction;
use mgmt_common::warming::targets::{ModuleTargets, merge_targets};
use module_mgmt_protocol::effective::ModuleFacts;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::store::activity::Activity;
use crate::store::graph::GraphRow;
use crate::store::impact_inputs::ImpactInputs;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = SwitchAction)]
pub(crate) enum Action {
    Enable,
    Disable,
}

/// What a call does, or would do with `dryRun`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Impact {
    action: Action,
    module: String,
    /// The modules that change their state, in order; none when the call is refused.
    changes: Vec<String>,
    /// The enabled modules that need this one, directly or through others.
    dependents: Vec<String>,
    /// Why the call is refused; none when it is not.
    refusals: Vec<Refused>,
    /// How many organisations have an override of one of the modules that this is about.
    org_overrides: i64,
    /// Of disabling: how many organisations used one of these modules today or on one of the 29 UTC days before.
    #[serde(skip_serializing_if = "Option::is_none")]
    active_orgs: Option<i64>,
    /// Of disabling: how many different users did.
    #[serde(skip_serializing_if = "Option::is_none")]
    active_users: Option<i64>,
    /// Of disabling: true where those two are missing because finding them out would have taken too long.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    activity_unknown: bool,
    /// The functions that will no longer be warmed, or that will be from now on.
    functions: Vec<String>,
    /// Stands for all that this says but figures that change by themselves; a call that carries it does exactly this or nothing.
    plan_hash: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Refused {
    /// Stable, for programs.
    code: &'static str,
    detail: String,
    /// The modules that stand in the way.
    modules: Vec<String>,
}

impl From<&Refusal> for Refused {
    fn from(refusal: &Refusal) -> Self {
        Self { code: refusal.code, detail: refusal.detail.clone(), modules: texts(&refusal.modules) }
    }
}

/// The modules that an impact is about: the one asked for, and all that change or would have to.
pub(crate) fn affected(name: &ModuleName, plan: &Plan) -> Vec<ModuleName> {
    let all: BTreeSet<&ModuleName> = [name].into_iter().chain(&plan.changes).chain(&plan.dependents).collect();
    all.into_iter().cloned().collect()
}

impl Impact {
    /// `activity`: only of disabling, and then nothing where it could not be had in time.
    pub(crate) fn new(
        action: Action,
        name: &ModuleName,
        plan: &Plan,
        rows: &[GraphRow],
        inputs: &ImpactInputs,
        activity: Option<&Option<Activity>>,
    ) -> Self {
        let known = activity.and_then(Option::as_ref);
        let mut impact = Self {
            action,
            module: name.to_string(),
            changes: texts(&plan.changes),
            dependents: texts(&plan.dependents),
            refusals: plan.refusals.iter().map(Refused::from).collect(),
            org_overrides: inputs.org_overrides,
            active_orgs: known.map(|activity| activity.active_orgs),
            active_users: known.map(|activity| activity.active_users),
            activity_unknown: activity.is_some_and(Option::is_none),
            functions: functions(action, &affected(name, plan), rows, inputs),
            plan_hash: String::new(),
        };
        impact.plan_hash = impact.hash();
        impact
    }

    pub(crate) fn plan_hash(&self) -> &str {
        &self.plan_hash
    }

    /// What a 409 says about it beside its sentence.
    pub(crate) fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("impact".into(), json!(self));
        members.insert("refusals".into(), json!(self.refusals));
        members.insert("dependents".into(), json!(self.dependents));
        members
    }

    /// Overrides and uses are left out: organisations make them at any time, and they do not change what the call does.
    fn hash(&self) -> String {
        let refused: Vec<_> = self.refusals.iter().map(|refusal| (refusal.code, &refusal.modules)).collect();
        let told = json!([self.action, self.module, self.changes, self.dependents, refused, self.functions]);
        let digest = Sha256::digest(told.to_string());
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The functions whose warming depends on the change.
fn functions(action: Action, affected: &[ModuleName], rows: &[GraphRow], inputs: &ImpactInputs) -> Vec<String> {
    // A schedule that is not there or cannot be read warms nothing at all.
    let schedule = inputs.schedule.as_ref().and_then(|value| WarmingConfig::parse(value).ok());
    let Some(schedule) = schedule.filter(WarmingConfig::include_modules) else { return Vec::new() };
    let warmed = |to_enabled: Option<bool>| -> BTreeSet<String> {
        let modules: Vec<ModuleTargets<'_>> = rows.iter().map(|row| targets(row, affected, to_enabled)).collect();
        merge_targets(schedule.functions(), &modules).functions.iter().map(|wanted| label(&wanted.function)).collect()
    };
    let (now, then) = (warmed(None), warmed(Some(action == Action::Enable)));
    match action {
        Action::Enable => then.difference(&now).cloned().collect(),
        Action::Disable => now.difference(&then).cloned().collect(),
    }
}

fn targets<'a>(row: &'a GraphRow, affected: &[ModuleName], to_enabled: Option<bool>) -> ModuleTargets<'a> {
    let is_affected = affected.iter().any(|name| name.as_str() == row.module_name);
    let facts = ModuleFacts {
        name: &row.module_name,
        is_enabled: to_enabled.filter(|_| is_affected).unwrap_or(row.is_enabled),
        is_installed: row.is_installed,
        org_on: true,
        dependencies: &row.dependencies,
        required_permissions: &row.required_permissions,
    };
    ModuleTargets { facts, functions: &row.functions }
}

fn label(function: &WarmFunction) -> String {
    match &function.qualifier {
        Some(qualifier) => format!("{}:{qualifier}", function.name),
        None => function.name.clone(),
    }
}

fn texts(names: &[ModuleName]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}
