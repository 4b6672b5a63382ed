//! A whole HTTP event through the gate: who asks, may they pass, and the answer if not.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{ClosedReason, Credential, Gate, Verdict};
use crate::api_gateway::{HttpAnswer, RequestContext};
use crate::caller::Caller;
use crate::modules::decision::Reason;
use crate::problem::{self, Kind};

const MODULE_DISABLED: Kind = Kind { status: 503, code: "module_disabled", title: "The module is not available" };

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
        let caller = context.authorizer.as_ref().and_then(|sent| Caller::from_authorizer(sent, names));
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
        let mut more = Map::new();
        more.insert("module".into(), module.as_str().into());
        more.insert("reason".into(), reason.as_str().into());
        let detail = format!("{module} is not available: {}", sentence(reason));
        answer(&MODULE_DISABLED, &detail, instance, request_id, &more)
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
        ClosedReason::StateUnknown => "whether it is on cannot be read at the moment",
    }
}

fn unauthenticated(instance: &str, request_id: &str) -> HttpAnswer {
    let (kind, detail) = (&problem::UNAUTHENTICATED, problem::UNAUTHENTICATED_DETAIL);
    let mut answer = answer(kind, detail, instance, request_id, &Map::new());
    answer.headers.insert("www-authenticate".into(), "Bearer".into());
    answer
}

fn answer(kind: &Kind, detail: &str, instance: &str, request_id: &str, more: &Map<String, Value>) -> HttpAnswer {
    let mut headers = BTreeMap::from([
        ("content-type".to_owned(), problem::CONTENT_TYPE.to_owned()),
        ("cache-control".to_owned(), "no-store".to_owned()),
    ]);
    if request_id.bytes().all(|byte| byte.is_ascii_graphic()) {
        headers.insert("x-request-id".into(), request_id.to_owned());
    }
    HttpAnswer {
        status_code: kind.status,
        headers,
        body: problem::document(kind, detail, instance, request_id, more),
        is_base64_encoded: false,
    }
}
