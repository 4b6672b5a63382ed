//! `mgmt doctor`: where a database differs from a freshly migrated one, and the cure of each difference.

mod catalog;
mod compare;
mod cures;
pub(crate) mod finding;
pub(crate) mod look;
mod names;
mod observe;
mod probes;
pub(crate) mod report;
mod state;
mod tasks;

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use tokio_postgres::Client;

use self::finding::Finding;
use crate::database::connect;
use crate::output::{Failure, write};

/// Compare a database with a freshly migrated one, and test every role's rights. The database stays as it is.
///
/// Exit codes: 0 no findings, 1 findings or no connection, 2 wrong usage.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The database, as a superuser or its owner.
    #[arg(long, env = "DATABASE_ADMIN_URL", hide_env_values = true)]
    database_url: String,
    /// The certificate authorities to trust, a PEM file; the roots of Supabase and RDS are built in.
    #[arg(long)]
    ca_file: Option<std::path::PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Print the text of db/catalog.json for this database, which should be a fresh one.
    #[arg(long, hide = true)]
    write_catalog: bool,
}

impl Doctor {
    pub(crate) fn json(&self) -> bool {
        self.json
    }
}

pub(crate) async fn run(arguments: &Doctor) -> Result<ExitCode, Failure> {
    let client = connect(&arguments.database_url, arguments.ca_file.as_deref()).await?;
    if arguments.write_catalog {
        let catalog = observe::observe(&client).await?.catalog.with_months_as_one()?.to_text()?;
        write(|out| out.write_all(catalog.as_bytes()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let (findings, probes) = examine(&client).await?;
    write(|out| {
        if arguments.json {
            return report::write_json(out, &findings, probes);
        }
        if !findings.is_empty() {
            writeln!(out, "{}", report::as_table(&findings))?;
        }
        writeln!(out, "{}", summary(findings.len(), probes))
    })?;
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All findings, and how many probes were made.
async fn examine(client: &Client) -> Result<(Vec<Finding>, Option<usize>)> {
    let observed = observe::observe(client).await?;
    let mut findings = look::findings(&observed)?;
    let viewer = &observed.viewer;
    if !viewer.is_superuser && !viewer.is_owner {
        let why = format!("{} is neither their owner nor a superuser", viewer.login);
        findings.push(Finding::unseen("the rows of our tables", why));
    }
    let differs = |kinds: &[&str]| findings.iter().any(|finding| kinds.contains(&finding.kind.as_str()));
    let (runs_code, is_other_table) = (differs(&look::RUNS_CODE), differs(&look::RUNS_CODE_WHEN_READ));
    // A function that runs on reading or writing could take over the login that examines.
    if !runs_code || (viewer.passes_by && !is_other_table) {
        findings.extend(state::look(client, viewer).await?);
    }
    if runs_code {
        return Ok((findings, None));
    }
    let (probes, wrong) = probes::probe(client, viewer).await?;
    findings.extend(wrong);
    Ok((findings, Some(probes)))
}

fn summary(findings: usize, probes: Option<usize>) -> String {
    let found = match findings {
        0 => "No findings".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    match probes {
        Some(probes) => format!("{found}. {probes} probes ran."),
        None => format!(
            "{found}. The probes did not run, because they could run code that is not ours. Cure these findings, then run mgmt doctor again."
        ),
    }
}
