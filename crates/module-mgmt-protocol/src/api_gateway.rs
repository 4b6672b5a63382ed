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
