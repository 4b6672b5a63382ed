//! Who sees and may do what, tried out: rows are planted, looked at as everybody, and rolled back.

mod plants;
mod reads;
mod rights;
mod writes;

use anyhow::Result;
use tokio_postgres::Client;

use super::finding::Finding;
use super::observe::Viewer;
use super::state::become_roles;
use super::tasks::{Answer, Task, run};

/// What must come of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Refused,
    /// Allowed, and without effect.
    NoRow,
    Sees(String),
}

/// One attempt of somebody.
#[derive(Debug)]
pub(super) struct Probe {
    /// `a member as module_mgmt_request`.
    who: String,
    /// `reads public.platform_module_override`.
    does: String,
    task: Task,
    expected: Outcome,
}

/// Names that no platform has.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) mark: String,
    pub(super) module_on: String,
    pub(super) module_off: String,
    pub(super) own_org: String,
    pub(super) other_org: String,
}

impl Names {
    fn new() -> Self {
        let mark = format!("doctor-{:x}", jiff::Timestamp::now().as_nanosecond());
        Self {
            module_on: format!("module-{mark}-on"),
            module_off: format!("module-{mark}-off"),
            own_org: format!("{mark}-own"),
            other_org: format!("{mark}-other"),
            mark,
        }
    }
}

/// How many were tried, and which came out otherwise than they must.
pub(super) async fn probe(client: &Client, viewer: &Viewer) -> Result<(usize, Vec<Finding>)> {
    let names = Names::new();
    let prepared = become_roles(viewer);
    let plants = plants::tasks(&names, viewer.passes_by);
    let mut probes = reads::probes(&names);
    probes.extend(writes::probes(&names));
    probes.extend(rights::probes());
    let attempts = probes.iter().map(|probe| probe.task.clone());
    let tasks: Vec<Task> = prepared.iter().chain(&plants).cloned().chain(attempts).collect();
    let answers = run(client, &tasks).await?;
    let (planted, tried) = answers[prepared.len()..].split_at(plants.len());
    // Only a superuser may keep triggers from firing, which is the first and the last of the plants.
    let planted = &planted[1..plants.len() - 1];
    if let Some(failed) = planted.iter().find(|answer| answer.code.is_some()) {
        return Ok((
            0,
            vec![Finding::unseen("who sees and may do what", format!("no rows can be planted: {}", failed.message))],
        ));
    }
    let findings = probes.iter().zip(tried).filter_map(|(probe, answer)| judged(probe, answer));
    Ok((probes.len(), findings.collect()))
}

fn judged(probe: &Probe, answer: &Answer) -> Option<Finding> {
    let found = match (&answer.code, &answer.answer) {
        (Some(_), _) if answer.message.starts_with("permission denied to set role") => {
            return Some(Finding::unseen(format!("{} {}", probe.who, probe.does), &answer.message));
        }
        // insufficient_privilege
        (Some(code), _) if code == "42501" => Outcome::Refused,
        (Some(_), _) => return Some(finding(probe, format!("not refused, but {}", answer.message))),
        (None, Some(text)) => Outcome::Sees(text.clone()),
        (None, None) if answer.touched == 0 && probe.expected == Outcome::NoRow => Outcome::NoRow,
        (None, None) => return Some(finding(probe, format!("allowed; {} rows", answer.touched))),
    };
    (found != probe.expected).then(|| finding(probe, told(&found)))
}

fn finding(probe: &Probe, found: String) -> Finding {
    let cure = "what mgmt doctor says about this table without probes; else mgmt migrate --again";
    Finding::new("probe", format!("{} {}", probe.who, probe.does), found, told(&probe.expected), cure)
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused => "refused".to_owned(),
        Outcome::NoRow => "without effect".to_owned(),
        Outcome::Sees(answer) => format!("sees {answer}"),
    }
}
