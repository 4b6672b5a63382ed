//! Events of an HTTP API (payload 2.0) as API Gateway sends them, and the answers to them.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::document;

/// Who sends a request, as the authorizer would describe them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Nobody,
    Member,
    OrgAdmin,
    /// An admin of `org-b`; everybody else is of [`ORG`].
    OtherOrgAdmin,
    PlatformAdmin,
}

pub const EVERYBODY: [Who; 5] = [Who::Nobody, Who::Member, Who::OrgAdmin, Who::OtherOrgAdmin, Who::PlatformAdmin];

/// The organisation whose data the tests are about.
pub const ORG: &str = "org-a";

impl Who {
    /// JWT claims reach a function as strings.
    pub fn claims(self) -> Option<Value> {
        let flags = match self {
            Self::Nobody => return None,
            Self::Member => ("false", "false"),
            Self::OrgAdmin | Self::OtherOrgAdmin => ("false", "true"),
            Self::PlatformAdmin => ("true", "false"),
        };
        let org = if self == Self::OtherOrgAdmin { "org-b" } else { ORG };
        Some(json!({
            "sub": "0190a000-0000-7000-8000-000000000001", "org_id": org,
            "is_platform_admin": flags.0, "is_org_admin": flags.1,
        }))
    }
}

/// A request on its way to the function.
#[derive(Debug, Clone)]
pub struct Request {
    event: Value,
}

impl Request {
    /// From a platform admin, without a body. `target` is path and query.
    pub fn new(method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let event = json!({
            "version": "2.0", "rawPath": path, "rawQueryString": query, "headers": {"host": "api.example.com"},
            "requestContext": {"stage": "$default", "requestId": "request-1", "http": {"method": method, "path": path}},
        });
        Self { event }.by(Who::PlatformAdmin)
    }

    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub fn post(target: &str) -> Self {
        Self::new("POST", target)
    }

    pub fn put(target: &str, body: &Value) -> Self {
        Self::new("PUT", target).json(body)
    }

    pub fn by(self, who: Who) -> Self {
        self.with_claims(who.claims())
    }

    pub fn with_claims(mut self, claims: Option<Value>) -> Self {
        let context = self.event["requestContext"].as_object_mut().unwrap();
        match claims {
            Some(claims) => context.insert("authorizer".into(), json!({"jwt": {"claims": claims, "scopes": null}})),
            None => context.remove("authorizer"),
        };
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.text(body.to_string())
    }

    /// A body as it is, sent as JSON.
    pub fn text(mut self, body: impl Into<String>) -> Self {
        self.event["body"] = body.into().into();
        self.header("content-type", "application/json")
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.event["headers"][name] = value.into();
        self
    }

    /// Any other change of the event.
    pub fn edit(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.event);
        self
    }

    pub fn method(&self) -> &str {
        self.event["requestContext"]["http"]["method"].as_str().unwrap()
    }

    /// A named stage is part of the path, and no matter of the document.
    fn path_without_stage(&self) -> &str {
        let stage = self.event["requestContext"]["stage"].as_str().unwrap_or_default();
        let rest = self.path().strip_prefix('/').and_then(|path| path.strip_prefix(stage));
        rest.filter(|rest| rest.starts_with('/')).unwrap_or(self.path())
    }

    pub fn path(&self) -> &str {
        self.event["rawPath"].as_str().unwrap()
    }

    pub fn event(&self) -> &Value {
        &self.event
    }
}

/// What the function answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u64,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Answer {
    /// Reads an answer in API Gateway's form. Every answer carries the request id, and every error is a whole problem document;
    /// the health route alone answers 503 with a document of its own.
    pub fn read(request: &Request, answer: &str) -> Self {
        // "Invocation payload (request and response)": 6 MB each (Lambda quotas). The product promises less.
        assert!(answer.len() <= 6 * 1024 * 1024, "Lambda would refuse an answer of {} bytes", answer.len());
        let answer: Value = serde_json::from_str(answer).unwrap();
        let headers = serde_json::from_value(answer["headers"].clone()).unwrap();
        let body = answer["body"].as_str().unwrap().to_owned();
        assert_eq!(answer["isBase64Encoded"], false, "{answer}");
        let answer = Self { status: answer["statusCode"].as_u64().unwrap(), headers, body };
        assert_eq!(answer.header("x-request-id"), "request-1");
        assert_eq!(answer.header("access-control-allow-origin"), "");
        if answer.status >= 400 && !request.path().ends_with("/platform/health") {
            answer.assert_problem();
        }
        let operation = (request.method(), request.path_without_stage());
        document::check(operation, answer.status, answer.header("content-type"), &answer.body);
        answer
    }

    fn assert_problem(&self) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        for field in ["type", "title", "detail", "instance", "code", "requestId"] {
            assert!(problem[field].is_string(), "{field} is missing: {problem}");
        }
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["requestId"], "request-1");
        assert_eq!(problem["type"], format!("urn:module-mgmt:problem:{}", self.code().replace('_', "-")));
        for secret in ["select ", "postgres://", "module_mgmt", "127.0.0.1", "panicked"] {
            // The instance is the client's own path.
            assert!(!problem["detail"].as_str().unwrap().contains(secret), "the answer tells {secret:?}: {problem}");
        }
        if self.status == 503 {
            assert_eq!(self.header("retry-after"), "2");
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The pointers of the errors, in their order.
    pub fn pointers(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    }

    #[track_caller]
    pub fn expect(self, status: u64) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}
