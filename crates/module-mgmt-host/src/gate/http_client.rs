//! The connection to the control plane: small, made when it is first needed, and made anew after a pause.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http_body_util::Empty;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;

use super::ReadError;

/// Connections that were idle for longer are not trusted, as networks drop them silently and a read would wait for its whole
/// time limit. By the wall clock, because the other one may stand still while the sandbox is frozen.
const TRUSTED_IDLE: Duration = Duration::from_secs(45);

/// Requests have no body.
pub(super) type NoBody = Empty<&'static [u8]>;
pub(super) type HyperClient = Client<HttpsConnector<HttpConnector>, NoBody>;

/// Hands out a client whose idle connections can be trusted.
#[derive(Default)]
pub(super) struct HttpClient {
    current: Mutex<Option<Current>>,
}

struct Current {
    client: HyperClient,
    connector: HttpsConnector<HttpConnector>,
    last_use: SystemTime,
}

impl HttpClient {
    pub(super) fn get(&self) -> Result<HyperClient, ReadError> {
        self.get_at(SystemTime::now())
    }

    fn get_at(&self, now: SystemTime) -> Result<HyperClient, ReadError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(current) = &mut *current {
            let idle = now.duration_since(current.last_use).unwrap_or(Duration::MAX);
            if idle > TRUSTED_IDLE {
                // The connector stays: it remembers the TLS session, which makes the next handshake a short one.
                current.client = client(&current.connector);
            }
            current.last_use = now;
            return Ok(current.client.clone());
        }
        let connector = connector()?;
        let client = client(&connector);
        *current = Some(Current { client: client.clone(), connector, last_use: now });
        Ok(client)
    }
}

fn client(connector: &HttpsConnector<HttpConnector>) -> HyperClient {
    Client::builder(TokioExecutor::new()).build(connector.clone())
}

/// ring and compiled-in roots: aws-lc and the machine's store cost tens of milliseconds. Which hosts may be reached without TLS is
/// decided where the URL is read.
fn connector() -> Result<HttpsConnector<HttpConnector>, ReadError> {
    let tls = HttpsConnectorBuilder::new().with_provider_and_webpki_roots(ring::default_provider());
    let tls = tls.map_err(|error| ReadError::Failed(format!("TLS cannot be set up: {error}")))?;
    Ok(tls.https_or_http().enable_http1().build())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http_body_util::BodyExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Answers every request alike, keeps connections, and counts them.
    async fn server() -> (http::Uri, Arc<AtomicUsize>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                    }
                });
            }
        });
        (uri, connections)
    }

    #[tokio::test]
    async fn connections_are_kept_for_a_while_and_not_trusted_after_a_pause() {
        let (uri, connections) = server().await;
        let client = HttpClient::default();
        let start = SystemTime::now();
        for (seconds, expected) in [(0, 1), (40, 1), (80, 1), (126, 2), (130, 2)] {
            let client = client.get_at(start + Duration::from_secs(seconds)).unwrap();
            client.get(uri.clone()).await.unwrap().into_body().collect().await.unwrap();
            // The connection returns to the pool in a task of its own.
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert_eq!(connections.load(Ordering::Relaxed), expected, "after {seconds} seconds");
        }
    }
}
