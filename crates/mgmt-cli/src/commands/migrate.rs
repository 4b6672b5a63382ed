//! `mgmt migrate`: schema, then migrations.

use std::process::ExitCode;

use clap::Args;

use crate::database::trusted;
use crate::doctor::report;
use crate::migration::{self, Passwords};
use crate::output::{Failure, progress, table, write};

/// Bring a database to this version's schema. Safe to repeat and to kill.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// A direct connection (no pooler) as an administrator.
    #[arg(long, env = "DATABASE_ADMIN_URL", hide_env_values = true)]
    database_url: String,
    /// The certificate authorities to trust, a PEM file; the roots of Supabase and RDS are built in.
    #[arg(long)]
    ca_file: Option<std::path::PathBuf>,
    /// Make what Supabase already has: the roles anon, authenticated, service_role, and auth.uid(), auth.jwt().
    #[arg(long)]
    bootstrap_roles: bool,
    /// Run all schema files again, also those that have run. That restores policies, grants, triggers and functions.
    #[arg(long)]
    again: bool,
    /// New password of module_mgmt_request_login; without it the password stays.
    #[arg(long, env = "REQUEST_LOGIN_PASSWORD", hide_env_values = true)]
    request_password: Option<String>,
    /// New password of module_mgmt_worker_login; without it the password stays.
    #[arg(long, env = "WORKER_LOGIN_PASSWORD", hide_env_values = true)]
    worker_password: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

impl Migrate {
    pub(crate) fn json(&self) -> bool {
        self.json
    }
}

pub(crate) async fn run(arguments: &Migrate) -> Result<ExitCode, Failure> {
    let ca_pem = trusted(arguments.ca_file.as_deref())?;
    let passwords =
        Passwords { request: arguments.request_password.as_deref(), worker: arguments.worker_password.as_deref() };
    let url = &arguments.database_url;
    let bootstrap = arguments.bootstrap_roles;
    let done = migration::migrate(url, ca_pem.as_deref(), bootstrap, arguments.again, passwords).await?;
    let applied = done.applied;
    write(|out| {
        if arguments.json {
            return writeln!(out, "{}", serde_json::json!({ "applied": applied, "findings": done.findings }));
        }
        if applied.is_empty() {
            return writeln!(out, "The schema is up to date.");
        }
        writeln!(out, "{}", table(["applied"], applied.iter().map(|name| [name.clone()])))
    })?;
    if !done.findings.is_empty() {
        progress(&format!("The database differs from a freshly migrated one:\n{}", report::as_table(&done.findings)));
    }
    // A policy or an index that somebody added is reported, and is theirs to keep.
    Ok(if done.findings.iter().all(|finding| finding.is_of_others) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
