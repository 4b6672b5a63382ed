//! Statements as many roles, all in one message: a database far away is asked once and not two hundred times.
//!
//! They run inside a transaction that is rolled back at the end. Every statement runs in a subtransaction, whose failure is its answer.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::observe::Viewer;

/// One statement.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Task {
    /// The connected login, if none.
    pub(super) role: Option<&'static str>,
    /// The value of `request.jwt.claims`.
    pub(super) claims: Option<String>,
    pub(super) statement: String,
    /// It answers one text; other statements answer how many rows they touched.
    pub(super) asks: bool,
    /// What it did is there for the tasks after it.
    pub(super) stays: bool,
}

impl Task {
    /// Reads one text.
    pub(super) fn ask(statement: impl Into<String>) -> Self {
        Self { role: None, claims: None, statement: statement.into(), asks: true, stays: false }
    }

    /// Does something, whose effect ends with it.
    pub(super) fn attempt(statement: impl Into<String>) -> Self {
        Self { asks: false, ..Self::ask(statement) }
    }

    /// Does something for the tasks after it.
    pub(super) fn arrange(statement: impl Into<String>) -> Self {
        Self { stays: true, ..Self::attempt(statement) }
    }

    pub(super) fn run_by(mut self, role: &'static str) -> Self {
        self.role = Some(role);
        self
    }

    pub(super) fn with_claims(mut self, claims: &str) -> Self {
        self.claims = Some(claims.to_owned());
        self
    }
}

/// What came of it: `code` and `message` of an error, or else the rest.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    pub(super) answer: Option<String>,
    pub(super) touched: u64,
    pub(super) code: Option<String>,
    pub(super) message: String,
}

/// A login that makes roles may give itself ours, until the transaction is rolled back. Whoever cannot is told so by what it then cannot see.
pub(super) fn become_roles(viewer: &Viewer) -> Vec<Task> {
    if viewer.is_superuser {
        return Vec::new();
    }
    let roles = ["anon", "authenticated", "module_mgmt_request", "module_mgmt_worker", "module_mgmt_definer"];
    roles.map(|role| Task::arrange(format!("grant {role} to {}", viewer.login))).into()
}

const RUN: &str = include_str!("sql/tasks.sql");
/// Nobody waits for long for the rows that the tasks hold, nor do they for rows of others.
const BEGIN: &str = "begin; set local lock_timeout = '2s'; set local statement_timeout = '8s'";

/// Runs the tasks and rolls everything back. Answers are in the order of the tasks.
pub(super) async fn run(client: &Client, tasks: &[Task]) -> Result<Vec<Answer>> {
    client.batch_execute(BEGIN).await.context("beginning a transaction")?;
    let answers = answers(client, tasks).await;
    client.batch_execute("rollback").await.context("rolling back")?;
    answers
}

async fn answers(client: &Client, tasks: &[Task]) -> Result<Vec<Answer>> {
    let list = serde_json::to_string(tasks)?;
    let hand_over = "-- hand_over_tasks\nselect set_config('module_mgmt_doctor.tasks', $1, true)";
    client.query_typed(hand_over, &[(&list, Type::TEXT)]).await?;
    client.batch_execute(RUN).await?;
    let rows = client.query_typed("-- read_answers\nselect current_setting('module_mgmt_doctor.answers')", &[]).await?;
    let text: String = rows.first().context("the tasks have no answers")?.get(0);
    serde_json::from_str(&text).context("the answers cannot be read")
}
