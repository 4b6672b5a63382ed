//! Migrates a database, sabotages it, and does what doctor says.

use std::process::Output;

use mgmt_testkit::database::TestDatabase;
use serde_json::Value;
use tokio::process::Command;

/// What a sabotage is undone with, besides the cures.
pub(crate) enum Undo {
    /// Every cure that doctor names is run, as a statement or as a command.
    Cures,
    /// The same, and this, because the sabotage brought something that is no fault alone.
    CuresAnd(&'static str),
    /// The cure is a decision of a person.
    By(&'static str),
}

/// A statement, what doctor names for it (`kind object`), and what undoes it. `:month` is this month as partitions have it, `:database` the
/// database, `:owner` who migrated.
pub(crate) type Sabotage = (&'static str, &'static [&'static str], Undo);

/// A database as `mgmt migrate` leaves it.
pub(crate) async fn migrated() -> TestDatabase {
    let database = TestDatabase::empty().await;
    let output = mgmt(&["migrate", "--bootstrap-roles"], &database.admin_url()).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    database
}

pub(crate) async fn mgmt(arguments: &[&str], url: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mgmt"));
    command.args(arguments).env("DATABASE_ADMIN_URL", url).kill_on_drop(true);
    command.output().await.unwrap()
}

/// The findings as `kind object` and cure.
pub(crate) async fn doctor(url: &str) -> Vec<(String, String)> {
    let output = mgmt(&["doctor", "--json"], url).await;
    let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = said["findings"].as_array().unwrap().iter();
    let findings: Vec<_> = findings
        .map(|finding| (format!("{} {}", text(&finding["kind"]), text(&finding["object"])), text(&finding["cure"])))
        .collect();
    assert_eq!(output.status.code(), Some(i32::from(!findings.is_empty())), "{output:?}");
    findings
}

/// Each sabotage must be named, and nothing else; probes may notice it besides. What is left of one would be found beside the next.
///
/// All of them are undone before this fails, because some are of the whole server.
pub(crate) async fn check(sabotages: &[Sabotage]) {
    let database = migrated().await;
    let url = database.admin_url();
    let mut failures = Vec::new();
    for (sabotage, named, undo) in sabotages {
        let sabotage = filled(&database, sabotage).await;
        database.arrange(&sabotage).await;
        let mut findings = doctor(&url).await;
        findings.retain(|(object, _)| !object.starts_with("probe "));
        let mut expected = Vec::new();
        for name in *named {
            expected.push(filled(&database, name).await);
        }
        if !findings.iter().map(|(object, _)| object).eq(&expected) {
            failures.push(format!("{sabotage}\nexpected {expected:#?}\nfound {findings:#?}"));
        }
        undone(&database, undo, findings).await;
    }
    let left = doctor(&url).await;
    assert!(failures.is_empty(), "{} of {} sabotages:\n{}", failures.len(), sabotages.len(), failures.join("\n\n"));
    assert_eq!(left, [], "the cures of the last sabotages do not cure");
}

async fn undone(database: &TestDatabase, undo: &Undo, findings: Vec<(String, String)>) {
    if let Undo::By(statement) = undo {
        return database.arrange(&filled(database, statement).await).await;
    }
    for (_, cure) in findings {
        match cure.strip_prefix("mgmt ") {
            Some(command) => {
                let arguments: Vec<&str> = command.split(' ').collect();
                let output = mgmt(&arguments, &database.admin_url()).await;
                assert_eq!(output.status.code(), Some(0), "{cure}: {output:?}");
            }
            None => database.arrange(&cure).await,
        }
    }
    if let Undo::CuresAnd(statement) = undo {
        database.arrange(&filled(database, statement).await).await;
    }
}

async fn filled(database: &TestDatabase, text: &str) -> String {
    if !text.contains(':') {
        return text.to_owned();
    }
    let month = database.look("select to_char(now() at time zone 'UTC', 'YYYY_MM')").await;
    text.replace(":month", &month).replace(":database", &database.name).replace(":owner", "postgres")
}
