//! Verify-full TLS against a server whose certificate hangs on a private CA.
//!
//! The server here is a small TLS end before the real Postgres: it answers the SSLRequest, shows its certificate and
//! passes the bytes on.

use std::sync::Arc;

use mgmt_common::db::Database;
use mgmt_common::error::Error;
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::caller;

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn acceptor(&self, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap());
        TlsAcceptor::from(Arc::new(config.unwrap()))
    }
}

/// Listens with TLS before the Postgres at `port`; answers its own port.
async fn tls_end(acceptor: Option<TlsAcceptor>, port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own_port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut ssl_request = [0; 8];
                client.read_exact(&mut ssl_request).await?;
                let Some(acceptor) = acceptor else { return client.write_all(b"N").await };
                client.write_all(b"S").await?;
                let mut client = acceptor.accept(client).await?;
                let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
                copy_bidirectional(&mut client, &mut server).await.map(|_| ())
            });
        }
    });
    own_port
}

#[tokio::test]
async fn tls_is_verify_full() {
    let database = TestDatabase::create().await;
    let direct = database.url(REQUEST_LOGIN);
    let port: u16 = direct.split(':').nth(3).and_then(|rest| rest.split('/').next()).unwrap().parse().unwrap();
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));

    let named = tls_end(Some(ours.acceptor("localhost")), port).await;
    let misnamed = tls_end(Some(ours.acceptor("db.example.com")), port).await;
    let plain = tls_end(None, port).await;

    let read = async |port_now: u16, ca: &Authority| {
        let url = direct.replace("127.0.0.1", "localhost").replace(&port.to_string(), &port_now.to_string());
        // channel_binding would tie SCRAM to the certificate of the real server, which speaks no TLS here.
        let url = format!("{url}?hostaddr=127.0.0.1&channel_binding=disable");
        let settings = DatabaseSettings { url, role: DatabaseRole::Request, ca_pem: Some(ca.0.pem()), pool_size: None };
        Database::new(settings).read_as::<Value>(&caller(true), "-- one\nselect 1 as one", &[]).await
    };
    let refused = |result: Result<Vec<Value>, Error>, words: &str| match result {
        Err(Error::Unavailable { cause, .. }) => assert!(cause.contains(words), "{cause}"),
        other => panic!("{other:?}"),
    };
    assert_eq!(read(named, &ours).await.unwrap()[0]["one"], 1);
    refused(read(named, &other).await, "UnknownIssuer");
    refused(read(misnamed, &ours).await, "not valid for name");
    refused(read(plain, &ours).await, "TLS");
}
