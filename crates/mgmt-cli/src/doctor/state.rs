//! What the rows say: whether the schema is this program's, and whether what runs in the background has come to its end.

use anyhow::Result;
use serde::Deserialize;
use tokio_postgres::Client;

use super::finding::Finding;
use super::observe::Viewer;
use super::tasks::{Answer, Task, become_roles, run};
use crate::migration::files;

const ADMIN: &str = r#"{"sub":"doctor","is_platform_admin":true}"#;

const HISTORY: &str =
    "select jsonb_agg(jsonb_build_array(version, checksum) order by version) from public.module_mgmt_schema_history";
const STUCK_RUNS: &str =
    "select jsonb_agg(jsonb_build_array(tick, started_at) order by tick) from public.platform_warming_run
  where status = 'running' and started_at < now() - interval '1 hour'";
const GAPS: &str = "select jsonb_agg(jsonb_build_array(first, last) order by first) from (
  select usage_date + 1 as first, (lead(usage_date) over (order by usage_date)) - 1 as last
  from public.platform_module_usage_sealed_day) as gap where last >= first";
/// Counting refuses events of a sealed day, so a day that is not over must not be sealed.
const SEALED_TOO_EARLY: &str =
    "select jsonb_agg(usage_date order by usage_date) from public.platform_module_usage_sealed_day
  where usage_date >= (now() at time zone 'UTC')::date";
const LONG_LEASES: &str =
    "select jsonb_agg(jsonb_build_array(config_key, lease_until) order by config_key) from public.platform_rule_sync
  where lease_until > now() + interval '1 hour'";
/// Sequences, the columns that they are behind, and as whom a login that row-level security binds reads these.
const SEQUENCES: [(&str, &str); 2] = [
    ("public.platform_module_audit_id_seq", "public.platform_module_audit"),
    ("public.platform_module_usage_reject_id_seq", "public.platform_module_usage_reject"),
];

/// Reads as the login itself where it sees all rows, and otherwise as roles that do.
pub(super) async fn look(client: &Client, viewer: &Viewer) -> Result<Vec<Finding>> {
    let as_worker = |task: Task| if viewer.passes_by { task } else { task.run_by("module_mgmt_worker") };
    let as_admin = |task: Task| match viewer.passes_by {
        true => task,
        false => task.run_by("module_mgmt_request").with_claims(ADMIN),
    };
    let mut tasks = become_roles(viewer);
    let first = tasks.len();
    tasks.push(Task::ask(HISTORY));
    tasks.push(as_worker(Task::ask(STUCK_RUNS)));
    tasks.push(as_worker(Task::ask(GAPS)));
    tasks.push(as_worker(Task::ask(SEALED_TOO_EARLY)));
    tasks.push(as_worker(Task::ask(LONG_LEASES)));
    for (sequence, table) in SEQUENCES {
        let next = format!("select case when is_called then last_value else last_value - 1 end from {sequence}");
        tasks.push(Task::ask(next));
        tasks.push(as_admin(Task::ask(format!("select coalesce(max(id), 0) from {table}"))));
    }
    let answers = run(client, &tasks).await?;
    let [history, runs, gaps, early, leases, sequences @ ..] = &answers[first..] else { return Ok(Vec::new()) };
    let mut findings = schema_version(history)?;
    findings.extend(stuck(runs));
    findings.extend(unsealed(gaps));
    findings.extend(sealed_too_early(early));
    findings.extend(long_leases(leases));
    for ((sequence, table), pair) in SEQUENCES.into_iter().zip(sequences.chunks(2)) {
        findings.extend(behind(sequence, table, pair));
    }
    Ok(findings)
}

fn rows<T: for<'de> Deserialize<'de>>(answer: &Answer) -> Vec<T> {
    answer.answer.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn schema_version(answer: &Answer) -> Result<Vec<Finding>> {
    let object = |version: i32| format!("public.module_mgmt_schema_history, version {version}");
    match answer.code.as_deref() {
        Some("42P01") => {
            let found = "no history: the files ran without mgmt migrate";
            let cure = "mgmt migrate";
            return Ok(vec![Finding::new(
                "schema version",
                "public.module_mgmt_schema_history",
                found,
                "a history",
                cure,
            )]);
        }
        Some(_) => return Ok(vec![Finding::unseen("public.module_mgmt_schema_history", &answer.message)]),
        None => {}
    }
    let found: Vec<(i32, String)> = rows(answer);
    let own = files::migrations()?;
    let superseded = files::superseded()?;
    let mut findings = Vec::new();
    for file in &own {
        let expected = file.checksum().to_string();
        let Some((version, checksum)) = found.iter().find(|(version, _)| *version == file.version()) else {
            let name = format!("{} has not run", file.name());
            findings.push(Finding::new("schema version", object(file.version()), name, "it has run", "mgmt migrate"));
            continue;
        };
        if *checksum == expected {
            continue;
        }
        let is_earlier = superseded.iter().any(|(of, earlier)| of == version && earlier.to_string() == *checksum);
        let (found, cure) = match is_earlier {
            true => (format!("{} of an earlier release", file.name()), "mgmt migrate"),
            false => {
                (format!("another text of {}", file.name()), "use the mgmt of the release that migrated this database")
            }
        };
        findings.push(Finding::new("schema version", object(*version), found, "this release's text", cure));
    }
    let ahead = found.iter().filter(|(version, _)| own.iter().all(|file| file.version() != *version));
    findings.extend(ahead.map(|(version, _)| {
        let cure = "use the mgmt of the release that migrated this database";
        Finding::new("schema version", object(*version), "a file that this release does not know", "nothing", cure)
    }));
    Ok(findings)
}

/// Nothing if it does not exist: the comparison with the catalog has named it then.
fn unseen(object: &str, answer: &Answer) -> Option<Finding> {
    // undefined_table, undefined_column
    let is_missing = answer.code.as_deref().is_some_and(|code| ["42P01", "42703"].contains(&code));
    (!is_missing).then(|| Finding::unseen(object, &answer.message))
}

fn stuck(answer: &Answer) -> Vec<Finding> {
    if answer.code.is_some() {
        return unseen("rows of public.platform_warming_run", answer).into_iter().collect();
    }
    let rows: Vec<(String, String)> = rows(answer);
    let finding = |(tick, started): (String, String)| {
        let cure = format!(
            "update public.platform_warming_run set status = 'failed', finished_at = now(), note = 'it broke off' where tick = '{tick}';"
        );
        let object = format!("public.platform_warming_run of {tick}");
        Finding::new("stuck run", object, format!("running since {started}"), "at an end after an hour", cure)
    };
    rows.into_iter().map(finding).collect()
}

fn unsealed(answer: &Answer) -> Vec<Finding> {
    if answer.code.is_some() {
        return unseen("rows of public.platform_module_usage_sealed_day", answer).into_iter().collect();
    }
    let rows: Vec<(String, String)> = rows(answer);
    let finding = |(first, last): (String, String)| {
        let cure = format!(
            "insert into public.platform_module_usage_sealed_day (usage_date, events) select day::date, coalesce(sum(total), 0) \
             from generate_series(date '{first}', date '{last}', interval '1 day') day \
             left join public.platform_module_usage_daily on usage_date = day group by day;"
        );
        let object = format!("public.platform_module_usage_sealed_day, {first} to {last}");
        Finding::new("sealed day", object, "not sealed, and later days are", "every earlier day is sealed too", cure)
    };
    rows.into_iter().map(finding).collect()
}

fn sealed_too_early(answer: &Answer) -> Vec<Finding> {
    let days: Vec<String> = rows(answer);
    let finding = |day: String| {
        let object = format!("public.platform_module_usage_sealed_day, {day}");
        let cure = format!("delete from public.platform_module_usage_sealed_day where usage_date = '{day}';");
        Finding::new("sealed day", object, "sealed, so its events are refused", "open until it is over", cure)
    };
    days.into_iter().map(finding).collect()
}

fn long_leases(answer: &Answer) -> Vec<Finding> {
    if answer.code.is_some() {
        return unseen("rows of public.platform_rule_sync", answer).into_iter().collect();
    }
    let leases: Vec<(String, String)> = rows(answer);
    let finding = |(key, until): (String, String)| {
        let key = key.replace('\'', "''");
        let object = format!("public.platform_rule_sync of '{key}'");
        let cure = format!(
            "update public.platform_rule_sync set lease_holder = null, lease_until = null where config_key = '{key}';"
        );
        Finding::new("lease", object, format!("held until {until}"), "held for an hour at most", cure)
    };
    leases.into_iter().map(finding).collect()
}

fn behind(sequence: &str, table: &str, answers: &[Answer]) -> Option<Finding> {
    let [last, most] = answers else { return None };
    if let Some(failed) = answers.iter().find(|answer| answer.code.is_some()) {
        return unseen(&format!("{sequence} beside {table}"), failed);
    }
    let number =
        |answer: &Answer| answer.answer.as_deref().and_then(|text| text.parse::<i64>().ok()).unwrap_or_default();
    let (last, most) = (number(last), number(most));
    (last < most).then(|| {
        let cure = format!("select setval('{sequence}', (select max(id) from {table}));");
        Finding::new(
            "sequence value",
            sequence,
            format!("last number {last}"),
            format!("at least {most}, which {table} has"),
            cure,
        )
    })
}
