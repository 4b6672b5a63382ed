//! The parts of API Gateway's HTTP API payload 2.0 that functions and hosts share.
//! Source: "Working with AWS Lambda proxy integrations for HTTP APIs" in the API Gateway developer guide.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::caller::Authorizer;

/// Absent keys are absent, not null.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestContext {
    pub http: Http,
    #[serde(default)]
    pub stage: Option<String>,
    #[serde(default)]
    pub request_id: Option<String>,
    #[serde(default)]
    pub authorizer: Authorizer,
}

/// The part of the request line that routes do not read elsewhere.
#[derive(Debug, Deserialize)]
pub struct Http {
    pub method: String,
}

impl RequestContext {
    /// The path without the stage: a named stage is part of rawPath, `$default` is not.
    pub fn path<'a>(&self, raw_path: &'a str) -> &'a str {
        let stage = self.stage.as_deref().filter(|stage| *stage != "$default");
        let without = stage.and_then(|stage| raw_path.strip_prefix('/')?.strip_prefix(stage));
        match without {
            Some("") => "/",
            Some(rest) if rest.starts_with('/') => rest,
            _ => raw_path,
        }
    }
}

/// The answer in API Gateway's form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpAnswer {
    pub status_code: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    pub is_base64_encoded: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stage: Option<&str>, raw_path: &str, expected: &str) {
        let http = Http { method: "GET".to_owned() };
        let context = RequestContext {
            http,
            stage: stage.map(str::to_owned),
            request_id: None,
            authorizer: Authorizer::default(),
        };
        assert_eq!(context.path(raw_path), expected, "{stage:?}");
    }

    #[test]
    fn a_named_stage_is_no_part_of_the_path_and_the_default_stage_never_was() {
        check(Some("prod"), "/prod/orders/7", "/orders/7");
        check(Some("prod"), "/prod", "/");
        check(Some("prod"), "/production/7", "/production/7");
        check(Some("prod"), "/orders", "/orders");
        check(None, "/prod/orders", "/prod/orders");
        // A path may begin with these characters, and they are no stage there.
        check(Some("$default"), "/$default/orders", "/$default/orders");
    }
}
