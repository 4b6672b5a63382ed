//! As whom statements run: the role and the claims that row-level security reads.

use std::time::Duration;

use module_mgmt_protocol::caller::Caller;
use serde_json::json;

use super::error::{Error, Result};
use crate::settings::DatabaseRole;

/// A request must be answered 503 inside 5 seconds when the database does not answer.
const REQUEST_LIMIT: Duration = Duration::from_millis(4500);
const WORKER_LIMIT: Duration = Duration::from_secs(25);

pub(super) struct Identity {
    pub(super) role: &'static str,
    pub(super) claims: String,
    /// For all that is done at once, repetitions included.
    pub(super) limit: Duration,
    /// Instead of what the login has.
    pub(super) statement_timeout: Option<Duration>,
}

impl Identity {
    pub(super) fn request(login: DatabaseRole, caller: &Caller) -> Result<Self> {
        may_act(login, DatabaseRole::Request)?;
        let (role, limit) = ("module_mgmt_request", REQUEST_LIMIT);
        Ok(Self { role, claims: claims(caller), limit, statement_timeout: None })
    }

    pub(super) fn worker(login: DatabaseRole) -> Result<Self> {
        may_act(login, DatabaseRole::Worker)?;
        let (role, limit) = ("module_mgmt_worker", WORKER_LIMIT);
        Ok(Self { role, claims: String::new(), limit, statement_timeout: None })
    }
}

/// A deployed function has one of the two credentials; using it for the other kind of work is a fault in the code.
fn may_act(login: DatabaseRole, role: DatabaseRole) -> Result<()> {
    if login == role {
        return Ok(());
    }
    Err(Error::Internal(format!("this function's database login cannot act as {role:?}")))
}

/// The claims as row-level security reads them (db/schema/002), whatever the identity provider calls them.
pub fn claims(caller: &Caller) -> String {
    json!({
        "sub": caller.user_id,
        "org_id": caller.org_id,
        "is_platform_admin": caller.is_platform_admin,
        "is_org_admin": caller.is_org_admin,
        "role": "authenticated",
        "request_id": caller.request_id,
    })
    .to_string()
}
