//! A small HTTP client for servers on this machine: plain HTTP, JSON in and out.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Longer than API Gateway waits for a function.
const TIME_LIMIT: Duration = Duration::from_secs(40);
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug, Clone)]
pub(crate) struct Http {
    pub(crate) client: Client<HttpConnector, Body>,
}

/// What a server answered, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The body, or null where it is no JSON.
    pub(crate) body: Value,
}

impl Http {
    pub(crate) fn new() -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http() }
    }

    pub(crate) async fn get(&self, url: &str) -> Result<Answer> {
        self.send(Method::GET, url, &[], None).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() && !headers.iter().any(|(name, _)| *name == header::CONTENT_TYPE.as_str()) {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        self.exchange(request.body(body.map_or_else(Body::empty, |value| Body::from(value.to_string())))?).await
    }

    pub(crate) async fn exchange(&self, request: Request<Body>) -> Result<Answer> {
        let what = format!("{} {}", request.method(), request.uri());
        let exchange = async {
            let response = self.client.request(request).await?;
            let status = response.status().as_u16();
            let bytes = to_bytes(Body::new(response.into_body()), MAX_ANSWER_BYTES).await?;
            anyhow::Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
        };
        match tokio::time::timeout(TIME_LIMIT, exchange).await {
            Ok(answer) => answer.with_context(|| what),
            Err(_) => bail!("{what}: no answer within {} seconds", TIME_LIMIT.as_secs()),
        }
    }
}

impl Answer {
    /// The body of a success.
    pub(crate) fn success(self, what: &str) -> Result<Value> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        bail!("{what} answered {}: {}", self.status, self.body)
    }
}
