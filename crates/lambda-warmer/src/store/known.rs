//! What native pings have shown: the table `platform_warming_target`.

use std::collections::BTreeMap;

use mgmt_common::db::{Parameter, Result, Transaction};
use mgmt_common::params;
use serde::Deserialize;

use crate::memory::Lessons;
use crate::proof::{Key, Known, Lesson, Status};

pub(crate) async fn read_known(tx: &Transaction) -> Result<BTreeMap<Key, Known>> {
    let statement = "-- read_known
        select function_name, qualifier, fingerprint, status, code_sha256, reason from public.platform_warming_target";
    let rows: Vec<TargetRow> = tx.read(statement, &[]).await?;
    let entry = |row: TargetRow| {
        let TargetRow { function_name, qualifier, fingerprint, status, code_sha256, reason } = row;
        let known = Known { fingerprint, status: Status::parse(&status), code_sha256, reason };
        ((function_name, qualifier), known)
    };
    Ok(rows.into_iter().map(entry).collect())
}

#[derive(Deserialize)]
struct TargetRow {
    function_name: String,
    qualifier: String,
    fingerprint: String,
    status: String,
    code_sha256: Option<String>,
    reason: Option<String>,
}

/// Writes lessons. One that no longer fits is dropped: another tick knows better.
pub(crate) async fn save(tx: &Transaction, lessons: &Lessons) -> Result<()> {
    for (key, lesson) in lessons {
        if !replace_known(tx, key, lesson).await? {
            tracing::info!(function = key.0, qualifier = key.1, "another tick has found out something newer");
        }
    }
    Ok(())
}

/// Writes a lesson over what it was concluded from. False: something else stands there.
pub(crate) async fn replace_known(tx: &Transaction, (name, qualifier): &Key, lesson: &Lesson) -> Result<bool> {
    let key: &[Parameter<'_>] = params![*name, *qualifier];
    let written = match (&lesson.before, &lesson.after) {
        (None, None) => return Ok(true),
        (None, Some(after)) => {
            let statement = "-- replace_known: first
                insert into public.platform_warming_target (function_name, qualifier, fingerprint, status, code_sha256, reason)
                values ($1, $2, $3, $4, $5, $6) on conflict (function_name, qualifier) do nothing";
            tx.execute(statement, &[key, &columns(after, &after.status.as_str())].concat()).await?
        }
        (Some(before), Some(after)) => {
            let statement = "-- replace_known: next
                update public.platform_warming_target set
                  fingerprint = $3, status = $4, code_sha256 = $5, reason = $6, updated_at = now()
                where function_name = $1 and qualifier = $2
                  and (fingerprint, status, code_sha256, reason) is not distinct from ($7, $8, $9, $10)";
            let (new, old) = (after.status.as_str(), before.status.as_str());
            tx.execute(statement, &[key, &columns(after, &new), &columns(before, &old)].concat()).await?
        }
        (Some(before), None) => {
            let statement = "-- replace_known: none
                delete from public.platform_warming_target
                where function_name = $1 and qualifier = $2
                  and (fingerprint, status, code_sha256, reason) is not distinct from ($3, $4, $5, $6)";
            tx.execute(statement, &[key, &columns(before, &before.status.as_str())].concat()).await?
        }
    };
    Ok(written == 1)
}

fn columns<'a>(known: &'a Known, status: &'a &'static str) -> [Parameter<'a>; 4] {
    [
        Parameter::new(&known.fingerprint),
        Parameter::new(status),
        Parameter::new(&known.code_sha256),
        Parameter::new(&known.reason),
    ]
}

/// Forgets functions that this version of the schedule does not name, if it is still the stored one: a run that followed an
/// older version must not forget what a newer one has found out.
pub(crate) async fn forget_unnamed(tx: &Transaction, version: i64, named: &[Key]) -> Result<()> {
    let statement = "-- forget_unnamed
        delete from public.platform_warming_target as target
        where exists (select from public.platform_lambda_config where config_key = 'lambda_warming' and row_version = $1)
          and (function_name, qualifier) not in (select * from unnest($2::text[], $3::text[]))";
    let (names, qualifiers): (Vec<&str>, Vec<&str>) =
        named.iter().map(|(name, qualifier)| (name.as_str(), qualifier.as_str())).unzip();
    tx.execute(statement, params![version, names, qualifiers]).await.map(drop)
}
