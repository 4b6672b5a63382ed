//! The one place that configures AWS SDK clients, leanly: ring instead of aws-lc, compiled-in roots instead of the machine's,
//! no credential chain. A function's start-up time is mostly this set-up, so nothing here runs before it is needed.

mod error;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use error::{AwsError, AwsErrorKind};

/// Who calls AWS, and where. Lambda hands these over in its environment; `settings.rs` reads them.
#[derive(Clone)]
pub struct AwsSettings {
    /// For example `eu-central-1`.
    pub region: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    /// Present with temporary credentials, which every Lambda function has.
    pub session_token: Option<String>,
    /// Another endpoint than AWS's own, for the local platform and tests. Plain `http://` is spoken without TLS.
    pub endpoint_url: Option<String>,
}

/// Written by hand so that no log line can hold the secrets.
impl std::fmt::Debug for AwsSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsSettings")
            .field("region", &self.region)
            .field("access_key_id", &self.access_key_id)
            .field("endpoint_url", &self.endpoint_url)
            .finish_non_exhaustive()
    }
}

/// How patient one client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallLimits {
    /// Until the TCP connection stands.
    pub connect_timeout: Duration,
    /// One attempt, from sending to the end of the answer.
    pub attempt_timeout: Duration,
    /// All attempts of one call with the waits between them.
    pub operation_timeout: Duration,
    /// Attempts in all; 1 means no retry.
    pub attempts: u32,
    /// The longest first wait between two attempts; it doubles, and the SDK adds jitter.
    pub initial_backoff: Duration,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            attempt_timeout: Duration::from_secs(5),
            operation_timeout: Duration::from_secs(15),
            attempts: 3,
            initial_backoff: Duration::from_millis(500),
        }
    }
}

/// What every SDK client of this process is built from. It does no I/O; build it when the first call is due.
pub fn sdk_config(settings: &AwsSettings, limits: &CallLimits) -> SdkConfig {
    let credentials = Credentials::new(
        settings.access_key_id.as_str(),
        settings.secret_access_key.as_str(),
        settings.session_token.clone(),
        None,
        "module-mgmt settings",
    );
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(limits.connect_timeout)
        .operation_attempt_timeout(limits.attempt_timeout)
        .operation_timeout(limits.operation_timeout)
        .build();
    let retries =
        RetryConfig::standard().with_max_attempts(limits.attempts).with_initial_backoff(limits.initial_backoff);
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .timeout_config(timeouts)
        .retry_config(retries)
        .http_client(http_client(settings.endpoint_url.as_deref()));
    config.set_endpoint_url(settings.endpoint_url.clone());
    config.build()
}

/// A client with its own connection pool. The pool keeps every idle connection, so a fan-out of hundreds of simultaneous
/// invokes opens each connection once and not once per run.
fn http_client(endpoint_url: Option<&str>) -> SharedHttpClient {
    if endpoint_url.is_some_and(|url| url.starts_with("http://")) {
        return Builder::new().build_http();
    }
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls_context()).build_https()
}

/// The roots of Mozilla's program and nothing from the machine, whose store costs milliseconds to read.
fn tls_context() -> TlsContext {
    let mut roots = TrustStore::empty();
    for root in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        roots.add_pem_certificate(pem(root));
    }
    TlsContext::builder()
        .with_trust_store(roots)
        .build()
        .expect("a context of nothing but compiled-in certificates has no part that could be missing")
}

/// The SDK takes PEM only, so the DER of the compiled-in roots is wrapped.
fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
}
