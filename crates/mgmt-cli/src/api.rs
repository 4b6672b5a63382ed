//! The HTTP API of a deployed platform, as commands use it.

use std::time::Duration;

use clap::Args;
use mgmt_common::field_error::FieldError;
use serde_json::Value;

use crate::output::Failure;

/// API Gateway answers within 30 seconds, or gives up.
const TIME_LIMIT: Duration = Duration::from_secs(35);

/// Where the platform is, and as whom to ask.
#[derive(Debug, Args)]
pub(crate) struct Api {
    /// The platform's address, for example https://api.example.com.
    #[arg(long, env = "MODULE_MGMT_URL")]
    url: String,
    /// A platform admin's bearer token.
    #[arg(long, env = "MODULE_MGMT_TOKEN", hide_env_values = true)]
    token: String,
}

impl Api {
    /// # Errors
    /// The platform does not answer, or answers with a problem, whose sentences are the failure's.
    pub(crate) fn call(&self, method: &str, path: &str) -> Result<Value, Failure> {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIME_LIMIT)).build().into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url.trim_end_matches('/')))
            .header("authorization", format!("Bearer {}", self.token))
            .header("accept", "application/json")
            .body(())
            .map_err(|error| Failure::new(format!("{} is no address: {error}", self.url)))?;
        let mut response = agent.run(request).map_err(|error| Failure::new(format!("{}: {error}", self.url)))?;
        let status = response.status();
        let body = response.body_mut().read_json::<Value>().unwrap_or_default();
        if status.is_success() { Ok(body) } else { Err(problem(status.as_u16(), &body)) }
    }
}

/// Reads problem+json; API Gateway's own errors are `{"message"}`.
fn problem(status: u16, body: &Value) -> Failure {
    let words = body["detail"].as_str().or_else(|| body["message"].as_str()).unwrap_or("no reason given");
    let errors = body["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|error| Some(FieldError::new(error["pointer"].as_str()?, error["message"].as_str()?)));
    Failure::invalid(format!("the platform answered {status}: {words}"), errors.collect())
}
