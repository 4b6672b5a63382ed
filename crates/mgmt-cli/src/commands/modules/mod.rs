//! `mgmt modules`: the modules of a deployed platform.

mod apply;
pub(crate) mod document;
mod plan;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::api::Api;
use crate::output::{self, Failure, text};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists every module.
    List(ListArguments),
    /// Brings modules to what a file says: registers, updates, enables and disables; what it does not name stays as it is.
    Apply(apply::ApplyArguments),
    /// Enables a module.
    Enable(SwitchArguments),
    /// Disables a module.
    Disable(DisableArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    api: Api,
    /// The API's answer as one JSON array instead of a table; failures as JSON too.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SwitchArguments {
    #[command(flatten)]
    api: Api,
    /// The module, for example module-ai.
    name: String,
    /// Take along what it needs, or what needs it.
    #[arg(long)]
    cascade: bool,
    /// Show what would happen and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// The API's answer as one JSON object; failures as JSON too.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DisableArguments {
    #[command(flatten)]
    switch: SwitchArguments,
    /// Disable core modules too.
    #[arg(long)]
    force: bool,
}

impl Command {
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::List(arguments) => arguments.json,
            Self::Apply(arguments) => arguments.json(),
            Self::Enable(arguments) => arguments.json,
            Self::Disable(arguments) => arguments.switch.json,
        }
    }
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::List(arguments) => list(arguments),
        Command::Apply(arguments) => apply::run(arguments),
        Command::Enable(arguments) => switch(arguments, "enable", false),
        Command::Disable(arguments) => switch(&arguments.switch, "disable", arguments.force),
    }
}

fn list(arguments: &ListArguments) -> Result<(), Failure> {
    let answer = arguments.api.call("GET", "/platform/modules")?;
    output::write(|out| {
        if arguments.json {
            return writeln!(out, "{answer}");
        }
        let row = |module: &Value| {
            let on = |field: &str| if module[field] == true { "yes" } else { "no" }.to_owned();
            let needs: Vec<&str> =
                module["dependencies"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            [
                text(&module["name"]),
                text(&module["version"]),
                text(&module["type"]),
                module["tier"].to_string(),
                on("isEnabled"),
                on("isInstalled"),
                needs.join("\n"),
            ]
        };
        let rows = answer.as_array().into_iter().flatten().map(row);
        let header = ["module", "version", "type", "tier", "enabled", "installed", "needs"];
        writeln!(out, "{}", output::table(header, rows))
    })
}

fn switch(arguments: &SwitchArguments, verb: &str, force: bool) -> Result<(), Failure> {
    let mut path = format!(
        "/platform/modules/{}/{verb}?cascade={}&dryRun={}",
        arguments.name, arguments.cascade, arguments.dry_run
    );
    if force {
        path.push_str("&force=true");
    }
    let answer = arguments.api.call("POST", &path)?;
    let impact = &answer["impact"];
    output::write(|out| {
        if arguments.json {
            return writeln!(out, "{answer}");
        }
        let told = [
            ("changes", &impact["changes"]),
            ("needed by", &impact["dependents"]),
            (if verb == "enable" { "will be warmed" } else { "no longer warmed" }, &impact["functions"]),
        ];
        let listed = |value: &Value| value.as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join("\n");
        let rows = told.into_iter().map(|(what, value)| [what.to_owned(), listed(value)]);
        let numbers = [
            ("organisations with an override", "orgOverrides"),
            ("organisations active in the last 30 days", "activeOrgs"),
            ("users active in the last 30 days", "activeUsers"),
            ("too many to count them in time", "activityUnknown"),
        ];
        // Enabling says nothing about who is active.
        let told = numbers.into_iter().filter(|(_, field)| !impact[*field].is_null());
        let numbers = told.map(|(what, field)| [what.to_owned(), impact[field].to_string()]);
        writeln!(out, "{}", output::table([verb, &arguments.name], rows.chain(numbers)))?;
        let refusals = impact["refusals"].as_array().into_iter().flatten();
        refusals.into_iter().try_for_each(|refusal| writeln!(out, "Refused: {}", text(&refusal["detail"])))?;
        if arguments.dry_run { writeln!(out, "Nothing was changed.") } else { Ok(()) }
    })
}
