//! Counts straight in Postgres, for hosts that can reach it.

use jiff::Timestamp;

use super::{BoxFuture, UsageMessage, UsageSink};
use crate::caller::{Caller, is_id};
use crate::db::Database;
use crate::error::{Error, Result};
use crate::settings::DatabaseSettings;
use crate::usage::item::Item;
use crate::usage::of_caller;
use crate::usage::window::DEFAULT_MAX_AGE_DAYS;
use crate::usage_counting::{Rules, record_one};

/// Counts each record in a transaction of its own, as module-usage counts an event over HTTP: the same check, the same judgement, the
/// same statement, and refusals are kept with their reason. The source of such an event is `http`.
///
/// The host logs in with the request login and counts as the message's user. That login may act as any caller, so only functions that
/// are trusted like the control plane's own may have it; all others send to the queue.
///
/// It connects with the first record, and again when a sandbox thaws with a dead connection. Where connecting takes longer than the
/// recorder's patience, no record is ever sent: give such a recorder more patience.
pub struct PostgresSink {
    database: Database,
}

impl PostgresSink {
    /// Connects to nothing: the first record does.
    pub fn new(settings: DatabaseSettings) -> Self {
        Self { database: Database::new(settings) }
    }

    /// What became of the item: `accepted`, `duplicate`, `conflict`, or the reason of a refusal.
    async fn count(&self, caller: &Caller, item: &Item) -> Result<(Item, String)> {
        // What has just been used lies inside every window that the control plane may be set to.
        let rules = Rules { now: Timestamp::now(), max_age_days: DEFAULT_MAX_AGE_DAYS };
        record_one(&self.database, caller, item.clone(), rules).await
    }
}

impl UsageSink for PostgresSink {
    fn send<'a>(&'a self, message: &'a UsageMessage) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            if ![&message.org_id, &message.user_id].into_iter().all(|id| is_id(id)) {
                return Err("no organisation or user can have this id".to_owned());
            }
            let caller = Caller::without_rights(&message.user_id, &message.org_id);
            let raw = serde_json::to_string(&message.event).map_err(|error| error.to_string())?;
            let item = of_caller::read(&caller, &raw);
            let counted = match self.count(&caller, &item).await {
                // A commit whose answer was lost has counted: the same id again is a duplicate then.
                Err(Error::Unavailable { .. }) => self.count(&caller, &item).await,
                counted => counted,
            };
            let (item, outcome) = counted.map_err(|error| error.to_string())?;
            match outcome.as_str() {
                "accepted" | "duplicate" => Ok(()),
                reason => Err(match item.event {
                    Err(refusal) => format!("{reason}: {}", refusal.detail()),
                    Ok(_) => reason.to_owned(),
                }),
            }
        })
    }
}
