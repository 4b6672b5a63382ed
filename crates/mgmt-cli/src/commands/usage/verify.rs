//! `mgmt usage verify`: every day's figures beside a recount of its raw events.

use clap::Args;
use indicatif::ProgressBar;
use jiff::civil::Date;
use serde_json::{Value, json};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::period::Period;
use crate::database::connect;
use crate::output::{Failure, table, write};

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The database, as module_mgmt_worker_login or an administrator.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// The certificate authorities to trust, a PEM file; the roots of Supabase and RDS are built in.
    #[arg(long)]
    ca_file: Option<std::path::PathBuf>,
    #[command(flatten)]
    period: Period,
    /// Make the figures of differing days anew from their raw events. Events of such a day wait meanwhile.
    #[arg(long)]
    rebuild: bool,
    /// One JSON object instead of a table; failures too.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) fn json(&self) -> bool {
        self.json
    }
}

/// What was found; `Value`s are rows as the database has them.
#[derive(Default)]
struct Report {
    days: usize,
    /// Days whose raw events are past their retention.
    dropped: Vec<Date>,
    differences: Vec<(Date, Value)>,
    rebuilt: Vec<Date>,
}

pub(super) async fn run(arguments: &Verify) -> Result<(), Failure> {
    let (from, to) = arguments.period.days()?;
    let client = connect(&arguments.database_url, arguments.ca_file.as_deref()).await?;
    let days: Vec<Date> = from.series(jiff::Span::new().days(1)).take_while(|day| *day <= to).collect();
    // Drawn only where standard error is a terminal.
    let bar = ProgressBar::new(days.len() as u64);
    let mut report = Report::default();
    for day in days {
        verify_day(&client, day, arguments.rebuild, &mut report).await?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    print(&report, arguments.json)?;
    match report.differences.len() {
        0 => Ok(()),
        _ if arguments.rebuild => Ok(()),
        count => Err(Failure::new(format!("{count} rows differ from the raw events"))),
    }
}

/// In a transaction of its own: through a pooler nothing outlives one.
async fn verify_day(client: &Client, day: Date, rebuild: bool, report: &mut Report) -> Result<(), Failure> {
    let failed = |error: tokio_postgres::Error| {
        let words = error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
        Failure::new(format!("{day}: {words}"))
    };
    client.batch_execute("begin; select set_config('role', 'module_mgmt_worker', true)").await.map_err(failed)?;
    let statement = "-- verify_day\nselect to_jsonb(row)::text from module_mgmt.verify_usage($1) row";
    let rows = match client.query_typed(statement, &[(&day, Type::DATE)]).await {
        Ok(rows) => rows,
        // no_data_found: the raw events are dropped.
        Err(error) if error.code().is_some_and(|code| code.code() == "P0002" || code.code() == "02000") => {
            client.batch_execute("rollback").await.map_err(failed)?;
            report.dropped.push(day);
            return Ok(());
        }
        Err(error) => return Err(failed(error)),
    };
    let differences = rows.iter().filter_map(|row| serde_json::from_str(row.get(0)).ok());
    report.differences.extend(differences.map(|row| (day, row)));
    if rebuild && !rows.is_empty() {
        let statement = "-- rebuild_day\nselect module_mgmt.rebuild_usage($1)";
        client.query_typed(statement, &[(&day, Type::DATE)]).await.map_err(failed)?;
        report.rebuilt.push(day);
    }
    client.batch_execute("commit").await.map_err(failed)?;
    report.days += 1;
    Ok(())
}

fn print(report: &Report, as_json: bool) -> Result<(), Failure> {
    write(|out| {
        if as_json {
            let differences = report.differences.iter().map(|(day, row)| json!({ "day": day, "difference": row }));
            let differences: Vec<Value> = differences.collect();
            return writeln!(
                out,
                "{}",
                json!({ "days": report.days, "dropped": report.dropped, "differences": differences, "rebuilt": report.rebuilt })
            );
        }
        if !report.differences.is_empty() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let rows = report.differences.iter().map(|(day, row)| {
                let key =
                    format!("{} {} {}", text(&row["module_name"]), text(&row["event_type"]), text(&row["source"]));
                [day.to_string(), text(&row["org_id"]), key, row["counted"].to_string(), row["daily"].to_string()]
            });
            writeln!(out, "{}", table(["day", "organisation", "module, type, source", "raw events", "figures"], rows))?;
        }
        if !report.dropped.is_empty() {
            writeln!(
                out,
                "{} days are past the retention of raw events and cannot be recounted.",
                report.dropped.len()
            )?;
        }
        let rebuilt =
            if report.rebuilt.is_empty() { String::new() } else { format!(", {} days rebuilt", report.rebuilt.len()) };
        writeln!(out, "{} days recounted, {} rows differ{rebuilt}.", report.days, report.differences.len())
    })
}
