//! `mgmt usage stats`.

use clap::Args;
use serde_json::Value;

use super::period::{Period, Selection};
use crate::api::Api;
use crate::output::{Failure, table, write};

#[derive(Debug, Args)]
pub(crate) struct Stats {
    #[command(flatten)]
    api: Api,
    #[command(flatten)]
    period: Period,
    #[command(flatten)]
    selection: Selection,
    /// The API's answer as one JSON object instead of tables; failures too.
    #[arg(long)]
    json: bool,
}

impl Stats {
    pub(super) fn json(&self) -> bool {
        self.json
    }
}

pub(super) fn run(arguments: &Stats) -> Result<(), Failure> {
    let answer = arguments.api.call("GET", &arguments.selection.path(arguments.period.days()?))?;
    write(|out| {
        if arguments.json {
            return writeln!(out, "{answer}");
        }
        let header = ["", "total", "success", "failure", "partial", "rate", "average ms", "users"];
        let mut rows = vec![row("whole period", &answer["summary"])];
        let used = |bucket: &&Value| bucket["total"] != 0;
        let series = answer["series"].as_array().into_iter().flatten().filter(used);
        rows.extend(series.map(|bucket| row(&text(&bucket["label"]), bucket)));
        writeln!(out, "{}", table(header, rows.into_iter()))?;
        if let Some(modules) = answer["modules"].as_array() {
            writeln!(out, "{}", table(header, modules.iter().map(|module| row(&text(&module["moduleName"]), module))))?;
        }
        if answer["rejected"] != 0 {
            writeln!(out, "{} items were refused in this period.", answer["rejected"])?;
        }
        Ok(())
    })
}

fn row(name: &str, figures: &Value) -> [String; 8] {
    let rate = figures["successRate"].as_f64().map(|rate| format!("{:.1} %", rate * 100.0)).unwrap_or_default();
    let average = figures["averageDurationMs"].as_f64().map(|average| format!("{average:.0}")).unwrap_or_default();
    let count = |key: &str| figures[key].to_string();
    [
        name.to_owned(),
        count("total"),
        count("successes"),
        count("failures"),
        count("partials"),
        rate,
        average,
        count("uniqueUsers"),
    ]
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
