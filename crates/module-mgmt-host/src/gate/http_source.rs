//! The state over HTTP: `GET {url}/platform/modules/state`, revalidated by its entity tag.

use std::sync::Arc;

use http::header::{ACCEPT, AUTHORIZATION, IF_NONE_MATCH};
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::http_client::{HttpClient, NoBody};
use super::{Credential, ReadError, StateRead, StateSource};
use crate::BoxFuture;

/// No registry is larger; whatever sends more is not our API.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// What a value in the query keeps: the unreserved characters of RFC 3986.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

type TokenProvider = Arc<dyn Fn() -> BoxFuture<'static, Result<Credential, String>> + Send + Sync>;

/// Reads the state from the control plane's API.
///
/// By default with the `authorization` of the request that asks, so that a caller's own organisation is read and nobody needs a
/// further secret. The header is forwarded to this URL only, and redirects are not followed.
pub struct HttpSource {
    state_url: String,
    client: HttpClient,
    service_token: Option<TokenProvider>,
}

/// The URL cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} is no URL for the control plane: {fault}")]
pub struct UrlError {
    url: String,
    fault: &'static str,
}

impl HttpSource {
    /// `url` is where the API is, with or without `/platform` at its end; a stage may be behind the host. Nothing is connected yet.
    ///
    /// # Errors
    /// [`UrlError`] for anything but `https://`, except `http://` to this machine.
    pub fn new(url: &str) -> Result<Self, UrlError> {
        let refused = |fault| UrlError { url: url.to_owned(), fault };
        let parsed: Uri = url.parse().map_err(|_| refused("it cannot be parsed"))?;
        let authority = parsed.authority().ok_or_else(|| refused("it has no host"))?;
        if authority.as_str().contains('@') || parsed.query().is_some() || url.contains('#') {
            return Err(refused("it has more than a scheme, a host and a path"));
        }
        match parsed.scheme_str() {
            Some("https") => {}
            Some("http") if is_loopback(authority.host()) => {}
            _ => return Err(refused("it must begin with https://, as only this machine may be reached without TLS")),
        }
        let base = url.trim_end_matches('/');
        let base = base.strip_suffix("/platform").unwrap_or(base);
        let state_url = format!("{base}/platform/modules/state");
        Ok(Self { state_url, client: HttpClient::default(), service_token: None })
    }

    /// Reads with a platform admin's token instead, which `provider` gives for each read (and keeps, where making one is slow).
    /// For functions without callers of their own, such as a queue's.
    #[must_use]
    pub fn with_service_token<F, T>(self, provider: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<Credential, String>> + Send + 'static,
    {
        let provider: TokenProvider = Arc::new(move || Box::pin(provider()));
        Self { service_token: Some(provider), ..self }
    }

    async fn get(
        &self,
        org_id: &str,
        credential: Option<&Credential>,
        known_version: Option<&str>,
    ) -> Result<StateRead, ReadError> {
        let request = self.request(org_id, credential, known_version).await?;
        let is_conditional = request.headers().contains_key(IF_NONE_MATCH);
        let response = self.client.get()?.request(request).await.map_err(|error| failed("no answer", &error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if is_conditional => return Ok(StateRead::Unchanged),
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                return Err(ReadError::Credential(format!("the answer is {status}")));
            }
            status => return Err(ReadError::Failed(format!("the answer is {status}"))),
        }
        let body = Limited::new(response.into_body(), MAX_BODY_BYTES).collect().await;
        let body = body.map_err(|error| failed("the answer broke off or is too large", &*error))?.to_bytes();
        // The position is told and the content is not: it may be anybody's error page.
        let state = serde_json::from_slice(&body).map_err(|error| {
            ReadError::Failed(format!(
                "the answer is no registry state: line {} column {}",
                error.line(),
                error.column()
            ))
        })?;
        Ok(StateRead::Changed(state))
    }

    async fn request(
        &self,
        org_id: &str,
        credential: Option<&Credential>,
        known_version: Option<&str>,
    ) -> Result<Request<NoBody>, ReadError> {
        let (url, credential) = match &self.service_token {
            None => (self.state_url.clone(), credential.cloned()),
            Some(provider) => {
                let url = format!("{}?orgId={}", self.state_url, utf8_percent_encode(org_id, QUERY_VALUE));
                (url, Some(provider().await.map_err(ReadError::Credential)?))
            }
        };
        let credential = credential.ok_or_else(|| ReadError::Credential("the request has none".into()))?;
        let mut authorization = HeaderValue::from_str(credential.authorization())
            .map_err(|_| ReadError::Credential("it is not printable text".into()))?;
        authorization.set_sensitive(true);
        let mut request = Request::get(url).header(ACCEPT, "application/json").header(AUTHORIZATION, authorization);
        let tag = known_version.and_then(|version| HeaderValue::from_str(&format!("\"{version}\"")).ok());
        if let Some(tag) = tag {
            request = request.header(IF_NONE_MATCH, tag);
        }
        request.body(NoBody::new()).map_err(|error| failed("the request cannot be made", &error))
    }
}

impl StateSource for HttpSource {
    fn read<'a>(
        &'a self,
        org_id: &'a str,
        credential: Option<&'a Credential>,
        known_version: Option<&'a str>,
    ) -> BoxFuture<'a, Result<StateRead, ReadError>> {
        Box::pin(self.get(org_id, credential, known_version))
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// An error with its causes, which hyper keeps apart.
fn failed(what: &str, error: &(dyn std::error::Error + 'static)) -> ReadError {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    ReadError::Failed(format!("{what}: {}", causes.join(": ")))
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;

    use super::{Credential, HttpSource};

    #[tokio::test]
    async fn no_debug_output_of_a_request_shows_its_credential() {
        let source = HttpSource::new("https://api.example.com").unwrap();
        let request = source.request("a", Some(&Credential::new("Bearer secret-token")), None).await.unwrap();
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer secret-token");
        assert!(request.headers()[AUTHORIZATION].is_sensitive());
        assert!(!format!("{request:?}").contains("secret"));
    }

    #[test]
    fn only_this_machine_may_be_reached_without_tls() {
        for good in [
            "https://api.example.com",
            "https://api.example.com:8443/prod/",
            "http://localhost:8080",
            "http://127.0.0.1:1",
            "http://[::1]:1/stage",
        ] {
            let source = HttpSource::new(good).unwrap();
            assert_eq!(source.state_url, format!("{}/platform/modules/state", good.trim_end_matches('/')));
        }
        for with_path in ["https://api.example.com/platform", "https://api.example.com/platform/"] {
            let source = HttpSource::new(with_path).unwrap();
            assert_eq!(source.state_url, "https://api.example.com/platform/modules/state");
        }
        for bad in [
            "",
            "api.example.com",
            "/platform",
            "ftp://localhost",
            "http://api.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost@api.example.com",
            "https://user:secret@api.example.com",
            "https://api.example.com?x=1",
            "https://api.example.com#x",
        ] {
            assert!(HttpSource::new(bad).is_err(), "{bad}");
        }
    }
}
