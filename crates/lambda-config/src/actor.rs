//! As whom a sync reads and writes.

use mgmt_common::db::{self, Work};
use module_mgmt_protocol::caller::Caller;

use crate::State;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Actor<'a> {
    Caller(&'a Caller),
    Worker,
}

impl<'a> Actor<'a> {
    /// Who holds a lease, for people who look at the row.
    pub(crate) fn holder(self) -> &'a str {
        match self {
            Self::Caller(caller) => &caller.user_id,
            Self::Worker => "worker",
        }
    }
}

impl State {
    pub(crate) async fn transact<'work, T, E>(&self, actor: Actor<'_>, work: impl Work<'work, T, E>) -> Result<T, E>
    where
        E: From<db::Error>,
    {
        match actor {
            Actor::Caller(caller) => self.database.run_as(caller, work).await,
            Actor::Worker => self.database.run_as_worker(work).await,
        }
    }
}
