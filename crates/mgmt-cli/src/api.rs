//! The HTTP API of a deployed platform, as commands use it.

use std::convert::Infallible;
use std::time::Duration;

use clap::Args;
use module_mgmt_protocol::field_error::FieldError;
use serde_json::Value;
use ureq::http::HeaderMap;

use crate::link;
use crate::output::Failure;

/// API Gateway answers within 30 seconds, or gives up.
const TIME_LIMIT: Duration = Duration::from_secs(35);

/// Where the platform is, and as whom to ask.
#[derive(Debug, Args)]
pub(crate) struct Api {
    /// The platform's address, for example `https://api.example.com`, with or without `/platform` at its end.
    #[arg(long, env = "MODULE_MGMT_URL", value_parser = address)]
    url: String,
    /// A platform admin's bearer token.
    #[arg(long, env = "MODULE_MGMT_TOKEN", hide_env_values = true)]
    token: String,
}

/// What the platform answered instead of doing it.
#[derive(Debug)]
pub(crate) struct Refused {
    /// 0 where there was no answer at all.
    pub(crate) status: u16,
    words: String,
    errors: Vec<FieldError>,
}

impl Refused {
    /// `context` begins the sentence.
    pub(crate) fn failure(&self, context: &str) -> Failure {
        let message = match self.status {
            0 => format!("{context}{}", self.words),
            status => format!("{context}the platform answered {status}: {}", self.words),
        };
        Failure::invalid(message, self.errors.clone())
    }
}

impl Api {
    /// # Errors
    /// The platform does not answer, or answers with a problem, whose sentences are the failure's.
    pub(crate) fn call(&self, method: &str, path: &str) -> Result<Value, Failure> {
        self.send(method, path, None, None).map_err(|refused| refused.failure(""))
    }

    /// # Errors
    /// As [`Self::call`], with the status for callers who can do something about it.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        if_match: Option<&str>,
    ) -> Result<Value, Refused> {
        let (text, _) = self.exchange(method, path, body, if_match, "application/json")?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// One page of a document that is no JSON, and the path of the next one, which differs in its query only.
    ///
    /// # Errors
    /// As [`Self::send`]; a `Link` that leads anywhere else is followed by nobody who holds a token.
    pub(crate) fn page(&self, path: &str, media_type: &str) -> Result<(String, Option<String>), Refused> {
        let (text, headers) = self.exchange("GET", path, None, None, media_type)?;
        match link::next(&headers, path) {
            Ok(next) => Ok((text, next)),
            Err(words) => Err(Refused { status: 0, words: format!("{}: {words}", self.url), errors: Vec::new() }),
        }
    }

    fn exchange(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        if_match: Option<&str>,
        accept: &str,
    ) -> Result<(String, HeaderMap), Refused> {
        let no_answer = |words: String| Refused { status: 0, words, errors: Vec::new() };
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIME_LIMIT)).build().into();
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .header("accept", accept);
        if let Some(if_match) = if_match {
            request = request.header("if-match", if_match);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let bytes = body.map(Value::to_string).unwrap_or_default();
        let request = request.body(bytes).map_err(|error| no_answer(format!("{} is no address: {error}", self.url)))?;
        let mut response = agent.run(request).map_err(|error| no_answer(format!("{}: {error}", self.url)))?;
        let status = response.status();
        let text = response.body_mut().read_to_string().map_err(|error| no_answer(format!("{}: {error}", self.url)))?;
        if status.is_success() {
            return Ok((text, std::mem::take(response.headers_mut())));
        }
        Err(problem(status.as_u16(), &serde_json::from_str(&text).unwrap_or_default()))
    }
}

/// The address before `/platform`, where every path of this program begins.
fn address(text: &str) -> Result<String, Infallible> {
    let text = text.trim_end_matches('/');
    let origin = text.strip_suffix("/platform").filter(|rest| !rest.ends_with('/'));
    Ok(origin.unwrap_or(text).to_owned())
}

/// Reads problem+json; API Gateway's own errors are `{"message"}`.
fn problem(status: u16, body: &Value) -> Refused {
    let words = body["detail"].as_str().or_else(|| body["message"].as_str()).unwrap_or("no reason given").to_owned();
    let errors = body["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|error| Some(FieldError::new(error["pointer"].as_str()?, error["message"].as_str()?)));
    Refused { status, words, errors: errors.collect() }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_may_end_in_platform() {
        for (given, expected) in [
            ("https://api.example.com", "https://api.example.com"),
            ("https://api.example.com/", "https://api.example.com"),
            ("https://api.example.com/platform", "https://api.example.com"),
            ("https://api.example.com/platform/", "https://api.example.com"),
            ("https://example.com/live/platform", "https://example.com/live"),
            ("https://example.com/myplatform", "https://example.com/myplatform"),
            ("https://platform", "https://platform"),
        ] {
            let Ok(found) = address(given);
            assert_eq!(found, expected, "{given}");
        }
    }
}
