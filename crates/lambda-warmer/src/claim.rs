//! Writes down that first pings are under way, before they are.
//!
//! A run that breaks off after a first ping, or another tick at the same time, must find that it was sent: what it ran into
//! may have been a real handler, and that must not run twice.

use mgmt_common::db;
use scoped_futures::ScopedFutureExt as _;

use crate::State;
use crate::memory::Lessons;
use crate::plan::Plan;
use crate::proof::Lesson;
use crate::store::{self, known};

/// Holds back every first ping that could not be written down.
pub(crate) async fn claim(state: &State, plans: &mut [Plan<'_>]) {
    let mut probes: Vec<&mut Plan<'_>> = plans.iter_mut().filter(|plan| plan.is_probe()).collect();
    if probes.is_empty() {
        return;
    }
    let claims: Vec<_> = probes
        .iter()
        .map(|plan| {
            let lesson = Lesson { before: plan.target.stored.clone(), after: Some(plan.probing()) };
            (plan.target.key(), lesson)
        })
        .collect();
    // A claim builds on what this sandbox knows, which the database may not know yet.
    let unsaved = state.memory.unsaved();
    let writing = store::run(&state.database, |tx| {
        let (claims, unsaved) = (&claims, &unsaved);
        async move {
            known::save(tx, unsaved).await?;
            let mut written = Vec::with_capacity(claims.len());
            for (key, lesson) in claims {
                written.push(known::replace_known(tx, key, lesson).await?);
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
            let undo = |(key, lesson): (_, Lesson)| (key, Lesson { before: lesson.after, after: lesson.before });
            state.memory.learn(claims.into_iter().map(undo).collect::<Lessons>());
        }
    }
}
