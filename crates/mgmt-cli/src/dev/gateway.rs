//! The local platform's one origin. MiniStack knows an API by its host name; a browser wants a plain address. So this server
//! passes `/platform/...` and `/samples/...` on under the right host name, and publishes the identity provider's public key.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::body::Body;
use axum::extract::State;
use axum::http::uri::{Authority, Scheme};
use axum::http::{HeaderValue, Request, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::http::Http;
use super::identity::Issuer;

/// The open port, before anything is served on it: the identity provider's address must be known to deploy.
pub(crate) struct Listener {
    listener: TcpListener,
    pub(crate) url: String,
}

/// The running server; dropping it ends it.
pub(crate) struct Gateway {
    task: JoinHandle<()>,
}

impl Listener {
    /// `port` 0 takes a free one.
    pub(crate) async fn bind(port: u16) -> Result<Self> {
        let listener =
            TcpListener::bind(("127.0.0.1", port)).await.with_context(|| format!("cannot listen on port {port}"))?;
        let url = format!("http://{}", listener.local_addr()?);
        Ok(Self { listener, url })
    }

    /// Serves the API of MiniStack's `host` on `upstream_port`.
    pub(crate) fn serve(self, issuer: &Issuer, http: Http, upstream_port: u16, host: &str) -> Result<Gateway> {
        let upstream = Upstream {
            http,
            authority: format!("127.0.0.1:{upstream_port}").parse()?,
            host: HeaderValue::from_str(host)?,
        };
        let (key_set, configuration) = (issuer.key_set(), issuer.configuration());
        let router = Router::new()
            .route("/.well-known/jwks.json", get(|| async { Json(key_set) }))
            .route("/.well-known/openid-configuration", get(|| async { Json(configuration) }))
            .route("/platform/{*rest}", any(forward))
            .route("/samples/{*rest}", any(forward))
            .with_state(Arc::new(upstream));
        let task = tokio::spawn(async move {
            // Serving ends with the task only.
            let _ = axum::serve(self.listener, router).await;
        });
        Ok(Gateway { task })
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Upstream {
    http: Http,
    authority: Authority,
    host: HeaderValue,
}

/// Passes a request on as it came, but for its host name.
async fn forward(State(upstream): State<Arc<Upstream>>, mut request: Request<Body>) -> Response {
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(upstream.authority.clone());
    let Ok(uri) = Uri::from_parts(parts) else { return StatusCode::BAD_REQUEST.into_response() };
    *request.uri_mut() = uri;
    request.headers_mut().insert(header::HOST, upstream.host.clone());
    match upstream.http.client.request(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("MiniStack does not answer: {error}\n")).into_response(),
    }
}
