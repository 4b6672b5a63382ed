//! Faults, row 17: the ways in which a database that is there cannot be reached.

use crate::database::{PASSWORD, TestDatabase};
use crate::tls::{Authority, tls_end};

/// One of them, as settings of a function.
#[derive(Debug)]
pub struct Unreachable {
    pub what: &'static str,
    pub url: String,
    pub ca_pem: Option<String>,
}

/// All of them for a login. The database then takes no connection of anybody but a superuser.
///
/// # Panics
/// As [`tls_end`].
pub async fn ways(database: &TestDatabase, login: &str) -> Vec<Unreachable> {
    let url = database.url(login);
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let ca_pem = Some(ours.pem());
    let full = format!("alter database {} connection limit 0", database.name);
    database.admin().await.batch_execute(&full).await.expect("the database is there");
    let elsewhere = tls_end(Some(other.acceptor("localhost")), &url).await;
    let without_tls = tls_end(None, &url).await;
    vec![
        Unreachable { what: "no such name", url: url.replace("127.0.0.1", "no-such-host.invalid"), ca_pem: None },
        Unreachable { what: "a wrong password", url: url.replace(PASSWORD, "wrong"), ca_pem: None },
        Unreachable { what: "another authority's certificate", url: elsewhere, ca_pem: ca_pem.clone() },
        Unreachable { what: "a server without TLS", url: without_tls, ca_pem },
        Unreachable { what: "no connection left at the server", url, ca_pem: None },
    ]
}
