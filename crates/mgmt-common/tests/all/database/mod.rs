//! The doors to the database, on a real Postgres, direct and through PgBouncer in transaction mode.

mod doors;
mod faults;
mod tls;

use std::collections::BTreeSet;

use mgmt_common::db::Database;
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase, WORKER_LOGIN};
use module_mgmt_protocol::caller::Caller;

fn settings(url: String, role: DatabaseRole) -> DatabaseSettings {
    DatabaseSettings { url, role, ca_pem: None, pool_size: None }
}

fn request(database: &TestDatabase) -> Database {
    Database::new(settings(database.url(REQUEST_LOGIN), DatabaseRole::Request))
}

/// Both ways in, as the request login and as the worker login.
fn ways(database: &TestDatabase) -> [(&'static str, Database, Database); 2] {
    let make = |request: String, worker: String| {
        (Database::new(settings(request, DatabaseRole::Request)), Database::new(settings(worker, DatabaseRole::Worker)))
    };
    let (direct, direct_worker) = make(database.url(REQUEST_LOGIN), database.url(WORKER_LOGIN));
    let (pooled, pooled_worker) = make(database.pooled_url(REQUEST_LOGIN), database.pooled_url(WORKER_LOGIN));
    [("direct", direct, direct_worker), ("through PgBouncer", pooled, pooled_worker)]
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
