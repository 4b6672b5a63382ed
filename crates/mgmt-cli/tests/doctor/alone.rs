//! Roles belong to the whole server, which all tests share: this test runs alone (.config/nextest.toml).

use crate::bed::Undo::{Cures, CuresAnd};
use crate::bed::{Sabotage, check, doctor, migrated};

const ROLES: &[Sabotage] = &[
    ("alter role module_mgmt_request_login bypassrls", &["role module_mgmt_request_login"], Cures),
    ("alter role module_mgmt_worker superuser createrole", &["role module_mgmt_worker"], Cures),
    ("alter role module_mgmt_definer login", &["role module_mgmt_definer"], Cures),
    ("alter role authenticated bypassrls", &["role authenticated"], Cures),
    (
        "grant pg_read_all_data to module_mgmt_worker_login",
        &["membership module_mgmt_worker_login in pg_read_all_data"],
        Cures,
    ),
    (
        "grant module_mgmt_worker to module_mgmt_request_login",
        &["membership module_mgmt_request_login in module_mgmt_worker"],
        Cures,
    ),
    ("grant module_mgmt_request to authenticated", &["membership authenticated in module_mgmt_request"], Cures),
    ("alter role module_mgmt_worker_login connection limit 0", &["login module_mgmt_worker_login"], Cures),
    ("alter role module_mgmt_worker_login valid until '2020-01-01'", &["login module_mgmt_worker_login"], Cures),
    ("alter role authenticated set request.jwt.claims = '{}'", &["setting authenticated: request.jwt.claims"], Cures),
    (
        "create role sabotage_guest login; grant module_mgmt_definer to sabotage_guest",
        &["membership sabotage_guest in module_mgmt_definer"],
        CuresAnd("drop role sabotage_guest"),
    ),
    (
        "revoke module_mgmt_worker from module_mgmt_worker_login",
        &["membership module_mgmt_worker_login in module_mgmt_worker"],
        Cures,
    ),
    (
        "alter role module_mgmt_request_login reset statement_timeout",
        &["setting module_mgmt_request_login: statement_timeout"],
        Cures,
    ),
    (
        "alter role module_mgmt_worker_login set search_path = evil, public",
        &["setting module_mgmt_worker_login: search_path"],
        Cures,
    ),
    (
        "alter role module_mgmt_request_login in database :database set statement_timeout = 0",
        &["setting module_mgmt_request_login in this database: statement_timeout"],
        Cures,
    ),
    (
        "grant set on parameter session_replication_role to module_mgmt_request_login",
        &["parameter grant session_replication_role: SET to module_mgmt_request_login"],
        Cures,
    ),
];

/// Faults, row 48.
#[tokio::test]
async fn sabotaged_roles_are_named_and_cured() {
    check(ROLES).await;
}

/// Row-level security is what keeps organisations apart, and a role that bypasses it sees all.
#[tokio::test]
async fn the_probes_notice_a_role_that_sees_other_organisations() {
    let database = migrated().await;
    database.arrange("alter role authenticated bypassrls").await;
    let findings = doctor(&database.admin_url()).await;
    database.arrange("alter role authenticated nobypassrls").await;
    let expected = "probe a member as authenticated reads public.platform_module_override";
    assert!(findings.iter().any(|(object, _)| object == expected), "{findings:#?}");
}
