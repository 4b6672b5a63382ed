//! `mgmt modules apply`: a plan, then the changes.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Map, Value, json};

use super::document;
use super::plan::{Action, Change, Plan, Step, plan};
use crate::api::{Api, Refused};
use crate::output::{self, Failure, progress, text};

#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    #[command(flatten)]
    api: Api,
    /// YAML or JSON with modules, or a module's own module.json; `-` reads standard input. May be given more than once.
    #[arg(short, long, value_name = "FILE", required = true)]
    file: Vec<String>,
    /// Show the plan and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Disable core modules too.
    #[arg(long)]
    force: bool,
    /// The plan and what was done as one JSON object; failures as JSON too.
    #[arg(long)]
    json: bool,
}

impl ApplyArguments {
    pub(super) fn json(&self) -> bool {
        self.json
    }
}

pub(super) fn run(arguments: &ApplyArguments) -> Result<(), Failure> {
    let mut wanted = Vec::new();
    for file in &arguments.file {
        for module in document::read(file)? {
            if wanted.iter().any(|other: &document::Wanted| other.name == module.name) {
                return Err(Failure::new(format!("{file}: {} is named by another file too", module.name)));
            }
            wanted.push(module);
        }
    }
    let current = arguments.api.call("GET", "/platform/modules")?;
    let plan = plan(&wanted, current.as_array().map(Vec::as_slice).unwrap_or_default());
    if !arguments.json {
        show(&plan)?;
    }
    let done = if arguments.dry_run { 0 } else { carry_out(arguments, &plan)? };
    output::write(|out| {
        if arguments.json {
            return writeln!(out, "{}", json!({ "plan": plan, "done": done }));
        }
        match (plan.steps.len(), arguments.dry_run) {
            (0, _) => writeln!(out, "Everything is as the file says."),
            (steps, true) => writeln!(out, "{steps} steps; nothing was changed."),
            (_, false) => writeln!(out, "{done} steps done."),
        }
    })
}

fn show(plan: &Plan) -> Result<(), Failure> {
    output::write(|out| {
        let rows = plan.steps.iter().map(|step| {
            let fields = step.fields.iter().map(|(field, change)| line(step.action, field, change));
            [step.action.mark().to_owned(), step.module.clone(), fields.collect::<Vec<_>>().join("\n")]
        });
        let unchanged = plan.unchanged.iter().map(|name| ["  unchanged".to_owned(), name.clone(), String::new()]);
        writeln!(out, "{}", output::table(["action", "module", "fields"], rows.chain(unchanged)))?;
        match plan.left_alone.len() {
            0 => Ok(()),
            count => writeln!(out, "{count} more modules are registered and stay as they are."),
        }
    })
}

fn line(action: Action, field: &str, change: &Change) -> String {
    let short = |value: &Value| {
        let text = text(value);
        if text.chars().count() > 40 { text.chars().take(39).chain(['…']).collect() } else { text }
    };
    match action {
        Action::Create => format!("{field}: {}", short(&change.to)),
        _ => format!("{field}: {} -> {}", short(&change.from), short(&change.to)),
    }
}

/// Does the steps. One that the state of the others forbids waits for them, until a whole round brings nothing further.
fn carry_out(arguments: &ApplyArguments, plan: &Plan) -> Result<usize, Failure> {
    let mut waiting: Vec<&Step> = plan.steps.iter().collect();
    let mut done = 0;
    // Steps of one module follow each other: the next one replaces what the one before has left.
    let mut versions: BTreeMap<&str, i64> = BTreeMap::new();
    while !waiting.is_empty() {
        let (before, mut refused) = (done, Vec::new());
        for step in waiting {
            let version = versions.get(step.module.as_str()).copied().unwrap_or(step.version);
            match carry_out_one(arguments, step, version) {
                Ok(answer) => {
                    let module = answer.get("module").unwrap_or(&answer);
                    versions.insert(&step.module, module["rowVersion"].as_i64().unwrap_or(version));
                    done += 1;
                    progress(&format!("{} {} ({done} of {})", step.action.mark(), step.module, plan.steps.len()));
                }
                Err(refusal) if refusal.status == 409 => refused.push((step, refusal)),
                Err(refusal) => return Err(failure(step, &refusal, done, plan)),
            }
        }
        if let Some((step, refusal)) = refused.first().filter(|_| done == before) {
            return Err(failure(step, refusal, done, plan));
        }
        waiting = refused.into_iter().map(|(step, _)| step).collect();
    }
    Ok(done)
}

fn carry_out_one(arguments: &ApplyArguments, step: &Step, version: i64) -> Result<Value, Refused> {
    let path = format!("/platform/modules/{}", step.module);
    let mut body: Map<String, Value> =
        step.fields.iter().map(|(field, change)| (field.clone(), change.to.clone())).collect();
    let api = &arguments.api;
    match step.action {
        Action::Create => {
            body.insert("name".into(), step.module.clone().into());
            api.send("POST", "/platform/modules", Some(&body.into()), None)
        }
        // The version that the plan was made from, or that our own last step made: somebody else's change in between is not overwritten.
        Action::Update => api.send("PUT", &path, Some(&body.into()), Some(&format!("\"{version}\""))),
        Action::Enable => api.send("POST", &format!("{path}/enable"), None, None),
        Action::Disable => api.send("POST", &format!("{path}/disable?force={}", arguments.force), None, None),
    }
}

/// Says which step it was and how far the others came: nothing is undone.
fn failure(step: &Step, refusal: &Refused, done: usize, plan: &Plan) -> Failure {
    let (verb, module, all) = (step.action.mark(), &step.module, plan.steps.len());
    refusal.failure(&format!("{verb} {module}, after {done} of {all} steps: "))
}
