//! A whole HTTP event through the gate: who asks, may they pass, and the answer if not.

use std::collections::BTreeMap;

use module_mgmt_protocol::api_gateway::{HttpAnswer, RequestContext};
use module_mgmt_protocol::caller::Caller;
use module_mgmt_protocol::decision::Reason;
use module_mgmt_protocol::problem::{self, Problem};
use serde::Deserialize;

use super::{ClosedReason, Credential, Gate, Verdict};

/// What becomes of an HTTP event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It may be handled, for this caller.
    Granted(Caller),
    /// This is the answer: 401 without an identity, 503 where the module is off.
    Refused(HttpAnswer),
}

/// The event is none of an HTTP API with payload 2.0. It is an error rather than a refusal, because a queue would take a refusal
/// for success and delete its messages; such handlers call [`Gate::check`].
#[derive(Debug, thiserror::Error)]
#[error("the gate admits events of HTTP APIs with payload 2.0 only: {0}")]
pub struct NotAnHttpEvent(#[from] serde_json::Error);

/// What the gate reads of an event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    request_context: RequestContext,
}

impl Event {
    /// The gateway writes names in lower case; local ones do not always.
    fn authorization(&self) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(name, _)| name.eq_ignore_ascii_case("authorization")).map(|(_, value)| value.as_str())
    }
}

impl Gate {
    /// Reads the caller from an event as the control plane's own functions do, and asks the gate. `request_id` is the
    /// invocation's, for events that bring none.
    ///
    /// # Errors
    /// [`NotAnHttpEvent`].
    pub async fn admit(&self, event: &str, request_id: &str) -> Result<Admission, NotAnHttpEvent> {
        let event: Event = serde_json::from_str(event)?;
        let context = &event.request_context;
        let instance = context.path(&event.raw_path);
        let request_id = context.request_id.as_deref().unwrap_or(request_id);
        let names = &self.shared.claim_names;
        let caller = Caller::from_authorizer(&context.authorizer, names);
        let answer = match caller {
            None => unauthenticated(instance, request_id),
            Some(mut caller) => {
                request_id.clone_into(&mut caller.request_id);
                let credential = event.authorization().map(Credential::new);
                match self.check_with(&caller.org_id, &caller.held_permissions(), credential.as_ref()).await {
                    Verdict::Open => return Ok(Admission::Granted(caller)),
                    Verdict::Closed(reason) => self.disabled(reason, instance, request_id),
                }
            }
        };
        // Debug formatting escapes control characters, so that a strange path cannot forge a log line.
        tracing::info!(method = ?context.http.method, path = ?instance, request_id, status = answer.status_code, "refused");
        Ok(Admission::Refused(answer))
    }

    fn disabled(&self, reason: ClosedReason, instance: &str, request_id: &str) -> HttpAnswer {
        let module = &self.shared.module;
        let detail = format!("{module} is not available: {}", sentence(reason));
        let mut problem = Problem::new(problem::MODULE_DISABLED, detail).answering(instance, request_id);
        problem.module = Some(module.clone());
        problem.reason = Some(reason.as_str().to_owned());
        answer(&problem)
    }
}

/// The reason for a person.
fn sentence(reason: ClosedReason) -> &'static str {
    match reason {
        ClosedReason::Off(Reason::PlatformOff) => "the platform has switched it off",
        ClosedReason::Off(Reason::NotInstalled) => "it is not installed",
        ClosedReason::Off(Reason::DependencyOff) => "a module that it needs is off",
        ClosedReason::Off(Reason::OrgOff) => "your organisation has switched it off",
        ClosedReason::Off(Reason::PermissionMissing) => "you lack a permission that it requires",
        ClosedReason::Off(_) => "it is off for a reason that this function does not know",
        ClosedReason::StateUnknown => "whether it is on cannot be read at the moment",
    }
}

fn unauthenticated(instance: &str, request_id: &str) -> HttpAnswer {
    let problem = Problem::new(problem::UNAUTHENTICATED, problem::UNAUTHENTICATED_DETAIL);
    let mut answer = answer(&problem.answering(instance, request_id));
    answer.headers.insert("www-authenticate".into(), "Bearer".into());
    answer
}

fn answer(problem: &Problem) -> HttpAnswer {
    let mut headers = BTreeMap::from([
        ("content-type".to_owned(), problem::CONTENT_TYPE.to_owned()),
        ("cache-control".to_owned(), "no-store".to_owned()),
    ]);
    if problem.request_id.bytes().all(|byte| byte.is_ascii_graphic()) {
        headers.insert("x-request-id".into(), problem.request_id.clone());
    }
    // A struct of texts always serialises.
    let body = serde_json::to_string(problem).unwrap_or_default();
    HttpAnswer { status_code: problem.status, headers, body, is_base64_encoded: false }
}
