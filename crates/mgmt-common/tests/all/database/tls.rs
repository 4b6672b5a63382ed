//! Verify-full TLS against a server whose certificate hangs on a private CA.

use mgmt_common::db::{Database, Error};
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase};
use mgmt_testkit::tls::{Authority, tls_end};
use serde_json::Value;

use super::caller;

#[tokio::test]
async fn tls_is_verify_full() {
    let database = TestDatabase::create().await;
    let direct = database.url(REQUEST_LOGIN);
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));

    let named = tls_end(Some(ours.acceptor("localhost")), &direct).await;
    let misnamed = tls_end(Some(ours.acceptor("db.example.com")), &direct).await;
    let plain = tls_end(None, &direct).await;

    let read = async |url: &String, ca: &Authority| {
        let (url, ca_pem) = (url.clone(), Some(ca.pem()));
        let settings = DatabaseSettings { url, role: DatabaseRole::Request, ca_pem, pool_size: None };
        Database::new(settings).read_as::<Value>(&caller(true), "-- one\nselect 1 as one", &[]).await
    };
    let refused = |result: Result<Vec<Value>, Error>, words: &str| match result {
        Err(Error::Unavailable(cause)) => assert!(cause.contains(words), "{cause}"),
        other => panic!("{other:?}"),
    };
    assert_eq!(read(&named, &ours).await.unwrap()[0]["one"], 1);
    refused(read(&named, &other).await, "UnknownIssuer");
    refused(read(&misnamed, &ours).await, "not valid for name");
    refused(read(&plain, &ours).await, "TLS");
}
