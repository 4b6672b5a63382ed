//! Writes down that first pings are under way, before they are.
//!
//! A run that breaks off after a first ping, or another tick at the same time, must find that it was sent: what it ran into
//! may have been a real handler, and that must not run twice.

use mgmt_common::db;
use scoped_futures::ScopedFutureExt as _;

use crate::State;
use crate::plan::TargetPlan;
use crate::proof::{PendingChanges, TargetChange};
use crate::store::{self, target_records};

/// Holds back every first ping that could not be written down.
pub(crate) async fn claim(state: &State, plans: &mut [TargetPlan<'_>]) {
    let mut probes: Vec<&mut TargetPlan<'_>> = plans.iter_mut().filter(|plan| plan.is_probe()).collect();
    if probes.is_empty() {
        return;
    }
    let claims: Vec<_> = probes
        .iter()
        .map(|plan| {
            let change = TargetChange { before: plan.target.stored.clone(), after: Some(plan.probing()) };
            (plan.target.key(), change)
        })
        .collect();
    // A claim builds on what this sandbox knows, which the database may not know yet.
    let unsaved = state.memory.unsaved();
    let writing = store::run(&state.database, |tx| {
        let (claims, unsaved) = (&claims, &unsaved);
        async move {
            target_records::save(tx, unsaved).await?;
            let mut written = Vec::with_capacity(claims.len());
            for (key, change) in claims {
                written.push(target_records::replace_target_record(tx, key, change).await?);
            }
            Ok::<_, db::Error>(written)
        }
        .scope_boxed()
    });
    match writing.await {
        Ok(written) => {
            state.memory.saved(&unsaved);
            for (plan, _) in probes.iter_mut().zip(written).filter(|(_, is_written)| !is_written) {
                plan.held_back = Some("not pinged, because another tick is finding out how it answers".into());
            }
        }
        Err(error) => {
            tracing::warn!(%error, "first pings could not be written down");
            let why = "its first ping was not sent, because the database could not note it: without that note a real \
                       handler might run twice";
            for plan in probes {
                plan.held_back = Some(why.into());
            }
            // The rows may have been written although no answer came; then they are taken back.
            let undo =
                |(key, change): (_, TargetChange)| (key, TargetChange { before: change.after, after: change.before });
            state.memory.remember(claims.into_iter().map(undo).collect::<PendingChanges>());
        }
    }
}
