//! Tests every role's rights: plants rows, reads and writes them as each role, and rolls everything back.

mod plants;
mod probe;
mod reads;
mod rights;
mod writes;

use anyhow::Result;
use tokio_postgres::Client;

use self::probe::{Names, Outcome, Probe};
use super::finding::Finding;
use super::observe::Viewer;
use super::tasks::{Answer, Task, become_roles, run};

/// How many probes ran, and a finding for each that failed.
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
            vec![Finding::unseen("what each role may do", format!("no rows can be planted: {}", failed.message))],
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
    let cure = "cure the other findings about this table first; if there are none, mgmt migrate --again";
    Finding::new("probe", format!("{} {}", probe.who, probe.does), found, told(&probe.expected), cure)
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused => "refused".to_owned(),
        Outcome::NoRow => "without effect".to_owned(),
        Outcome::Sees(answer) => format!("sees {answer}"),
    }
}
