//! `mgmt warming`: what a schedule compiles to and makes due, on this machine; and the rules of a deployed platform.

use std::fs;
use std::io::{self, Read};

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use mgmt_common::schedule::compile::{Widening, compile};
use mgmt_common::schedule::config::WarmingConfig;
use mgmt_common::schedule::name::Namespace;
use mgmt_common::schedule::preview::PreviewRule;
use mgmt_common::schedule::zone::local_time;
use serde_json::{Value, json};

use crate::api::Api;
use crate::output::{self, Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Prints the EventBridge rules that a schedule compiles to.
    Compile(CompileArguments),
    /// Prints the minutes at which a schedule is due.
    Due(DueArguments),
    /// Shows what a sync of the deployed platform would change.
    Plan(RemoteArguments),
    /// Brings the deployed platform's EventBridge rules to its stored schedule now.
    Sync(RemoteArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RemoteArguments {
    #[command(flatten)]
    api: Api,
    /// Take over the rules of the system that this one replaces.
    #[arg(long)]
    adopt_old: bool,
    /// The API's answer as one JSON object instead of a table; failures too.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompileArguments {
    #[command(flatten)]
    input: Input,
    /// Compile for the 400 days from this instant (RFC 3339); default now.
    #[arg(long, value_name = "RFC3339")]
    at: Option<Timestamp>,
    /// The project in the names of the rules.
    #[arg(long, default_value = "mgmt")]
    project: String,
    /// The environment in the names of the rules.
    #[arg(long, default_value = "dev")]
    env: String,
}

#[derive(Debug, Args)]
pub(crate) struct DueArguments {
    #[command(flatten)]
    input: Input,
    /// The first instant (RFC 3339).
    #[arg(long, value_name = "RFC3339")]
    from: Timestamp,
    /// How many days of 24 hours to list, up to a century.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36_525))]
    days: u32,
}

#[derive(Debug, Args)]
struct Input {
    /// The stored value of `lambda_warming` as JSON; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    config: String,
    /// One JSON object instead of a table; failures too.
    #[arg(long)]
    json: bool,
}

impl Command {
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Compile(arguments) => arguments.input.json,
            Self::Due(arguments) => arguments.input.json,
            Self::Plan(arguments) | Self::Sync(arguments) => arguments.json,
        }
    }
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Compile(arguments) => print_rules(arguments),
        Command::Due(arguments) => print_due(arguments),
        Command::Plan(arguments) => print_plan(arguments),
        Command::Sync(arguments) => print_sync(arguments),
    }
}

fn print_rules(arguments: &CompileArguments) -> Result<(), Failure> {
    let namespace =
        Namespace::parse(&arguments.project, &arguments.env).map_err(|error| Failure::new(error.to_string()))?;
    let config = read(&arguments.input.config)?;
    let compiled = compile(&config, arguments.at.unwrap_or_else(Timestamp::now));
    let rules: Vec<PreviewRule> = compiled
        .rules
        .iter()
        .map(|rule| PreviewRule { name: namespace.rule_name(rule), expression: rule.to_string() })
        .collect();
    output::write(|out| {
        if arguments.input.json {
            return writeln!(out, "{}", json!({ "rules": rules }));
        }
        let rows = rules.into_iter().map(|rule| [rule.name, rule.expression]);
        writeln!(out, "{}", output::table(["rule", "expression (UTC)"], rows))?;
        writeln!(out, "{} ticks a week for {} due minutes.", compiled.ticks_per_week, compiled.due_per_week)?;
        let widened = match compiled.widening {
            Widening::None => return Ok(()),
            Widening::Minutes => "minutes",
            Widening::Hours => "hours",
            Widening::Days => "days",
        };
        writeln!(out, "Widened by whole {widened} to keep the rules few; the warmer drops what is not due.")
    })
}

fn print_due(arguments: &DueArguments) -> Result<(), Failure> {
    let config = read(&arguments.input.config)?;
    let days = SignedDuration::from_hours(24 * i64::from(arguments.days));
    let end = arguments.from.saturating_add(days).unwrap_or(Timestamp::MAX);
    let mut due = config.due_from(arguments.from).take_while(|due| *due < end);
    output::write(|out| {
        if arguments.input.json {
            // Written as it is found: a century of minutes would not fit in memory.
            write!(out, "{{\"due\":[")?;
            due.enumerate()
                .try_for_each(|(index, due)| write!(out, "{}\"{due}\"", if index == 0 { "" } else { "," }))?;
            return writeln!(out, "]}}");
        }
        let zone = config.zone();
        due.try_for_each(|due| writeln!(out, "{due}  {}", local_time(due, zone)))
    })
}

fn print_plan(arguments: &RemoteArguments) -> Result<(), Failure> {
    let path = format!("/platform/lambda-config/sync?dryRun=true&adoptOld={}", arguments.adopt_old);
    let answer = arguments.api.call("POST", &path)?;
    output::write(|out| {
        if arguments.json {
            return writeln!(out, "{answer}");
        }
        let rules = answer["plan"]["rules"].as_array().into_iter().flatten();
        let row = |rule: &Value| {
            let expression = rule["rule"]["expression"].as_str().or_else(|| rule["why"].as_str());
            [text(&rule["action"]), text(&rule["name"]), expression.unwrap_or_default().to_owned()]
        };
        writeln!(out, "{}", output::table(["action", "rule", "expression (UTC), or why"], rules.map(row)))?;
        answer["plan"]["alarms"]
            .as_array()
            .into_iter()
            .flatten()
            .try_for_each(|alarm| writeln!(out, "Alarm: {}", text(alarm)))
    })
}

/// Exits with 1 unless everything is synced.
fn print_sync(arguments: &RemoteArguments) -> Result<(), Failure> {
    let path = format!("/platform/lambda-config/sync?adoptOld={}", arguments.adopt_old);
    let answer = arguments.api.call("POST", &path)?;
    output::write(|out| {
        if arguments.json {
            return writeln!(out, "{answer}");
        }
        let rules = answer["rules"].as_array().into_iter().flatten();
        let row =
            |rule: &Value| [text(&rule["action"]), text(&rule["outcome"]), text(&rule["name"]), text(&rule["reason"])];
        writeln!(out, "{}", output::table(["action", "outcome", "rule", "reason"], rules.map(row)))?;
        writeln!(out, "{}, {} writes, {} reads.", text(&answer["status"]), answer["writes"], answer["reads"])
    })?;
    match answer["status"].as_str() {
        Some("synced") => Ok(()),
        _ => Err(Failure::new(format!("not synced: {}", text(&answer["reason"])))),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn read(path: &str) -> Result<WarmingConfig, Failure> {
    let text = match path {
        "-" => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map(|_| text)
        }
        path => fs::read_to_string(path),
    };
    let text = text.map_err(|error| Failure::new(format!("{path} cannot be read: {error}")))?;
    let value = serde_json::from_str(&text).map_err(|error| Failure::new(format!("{path} is not JSON: {error}")))?;
    WarmingConfig::parse(&value).map_err(|errors| Failure::invalid(format!("{path} is not a valid schedule"), errors))
}
