//! Counts straight in Postgres, for hosts that can reach it.

use jiff::Timestamp;
use mgmt_common::db::{Database, Error, Result};
use mgmt_common::usage::item::BatchItem;
use mgmt_common::usage::judge::Rules;
use mgmt_common::usage::outcome::Outcome;
use mgmt_common::usage::window::DEFAULT_MAX_AGE_DAYS;
use mgmt_common::usage_counting::{Counted, record_one};
use module_mgmt_host::BoxFuture;
use module_mgmt_host::usage::UsageSink;
use module_mgmt_protocol::caller::{Caller, is_id};
use module_mgmt_protocol::usage::UsageMessage;

use crate::PostgresLogin;

/// Counts each record in a transaction of its own, as module-usage counts an event over HTTP: the same check, the same judgement, the
/// same statement, and refusals are kept with their reason. The source of such an event is `http`.
///
/// The host logs in with the request login and counts as the message's user.
///
/// It connects with the first record, and again when a sandbox thaws with a dead connection. Where that takes longer than the recorder's
/// patience, the record is sent while the function handles its next requests.
pub struct PostgresSink {
    database: Database,
}

impl PostgresSink {
    /// Connects to nothing: the first record does.
    pub fn new(login: PostgresLogin) -> Self {
        Self { database: Database::new(login.into_settings()) }
    }

    async fn count(&self, caller: &Caller, item: &BatchItem<'_>) -> Result<Counted> {
        // What has just been used lies inside every window that the control plane may be set to.
        let rules = Rules { now: Timestamp::now(), max_age_days: DEFAULT_MAX_AGE_DAYS, events_per_minute: None };
        record_one(&self.database, caller, item, rules).await
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
            let item = BatchItem::from_caller(&caller, &raw);
            let counted = match self.count(&caller, &item).await {
                // A commit whose answer was lost has counted: the same id again is a duplicate then.
                Err(Error::Unavailable(_)) => self.count(&caller, &item).await,
                counted => counted,
            };
            let counted = counted.map_err(|error| error.to_string())?;
            match (counted.outcome, counted.rejection()) {
                (Outcome::Accepted | Outcome::Duplicate, _) => Ok(()),
                (outcome, Some(refusal)) => Err(format!("{outcome}: {}", refusal.detail())),
                (outcome, None) => Err(outcome.to_string()),
            }
        })
    }
}
