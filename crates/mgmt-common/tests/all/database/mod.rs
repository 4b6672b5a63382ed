//! The doors to the database, on a real Postgres, direct and through PgBouncer in transaction mode.

#[cfg(feature = "service")]
mod checks;
mod doors;
mod faults;
mod pg_temp;
mod tls;

use std::collections::BTreeSet;

use mgmt_common::db::Database;
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_testkit::database::{ConnectionMode, REQUEST_LOGIN, TestDatabase};
use module_mgmt_protocol::caller::Caller;

fn settings(url: String, role: DatabaseRole) -> DatabaseSettings {
    DatabaseSettings { url, role, ca_pem: None, pool_size: None }
}

fn request(database: &TestDatabase) -> Database {
    Database::new(settings(database.url(REQUEST_LOGIN), DatabaseRole::Request))
}

/// As the request login and as the worker login.
fn doors(database: &TestDatabase, mode: ConnectionMode) -> (Database, Database) {
    let (request, worker) = database.urls(mode);
    (Database::new(settings(request, DatabaseRole::Request)), Database::new(settings(worker, DatabaseRole::Worker)))
}

fn caller(is_platform_admin: bool) -> Caller {
    Caller {
        user_id: "auth0|1".into(),
        org_id: "org-a".into(),
        is_platform_admin,
        is_org_admin: false,
        permissions: BTreeSet::new(),
        request_id: String::new(),
    }
}
