//! What Lambda tells about functions and the account, asked for as rarely and as calmly as possible.
//!
//! Lambda takes 15 such reads a second from a whole account (Lambda quotas, "control plane API requests"), and people and
//! deployments need them too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mgmt_common::aws::{AwsError, AwsErrorKind};
use mgmt_common::functions::Functions;
use mgmt_common::warming::report::TargetStatus;
use module_mgmt_protocol::clock::{Clock, Moment};
use tokio::sync::Semaphore;

use crate::capacity::Limit;
use crate::proof::Key;
use crate::target::Target;

/// Concurrency limits change rarely.
const LIMITS_FRESH: Duration = Duration::from_secs(600);
/// Shorter than the shortest interval, so that each scheduled minute looks anew. A deployment without the warm layer that
/// falls between this look and the pings runs its handler once per ping, which no look can rule out.
const CODE_FRESH: Duration = Duration::from_secs(50);
const READS_AT_ONCE: usize = 8;

pub(crate) struct ControlPlane {
    clock: Arc<dyn Clock>,
    cache: Mutex<Cache>,
    reads: Semaphore,
}

#[derive(Debug, Default)]
struct Cache {
    reserved: BTreeMap<String, (Limit, Moment)>,
    unreserved: Option<(Limit, Moment)>,
    code: BTreeMap<Key, (String, Moment)>,
}

impl ControlPlane {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, cache: Mutex::default(), reads: Semaphore::new(READS_AT_ONCE) }
    }

    /// The function's reserved concurrency.
    pub(crate) async fn reserved(&self, functions: &Functions, name: &str, until: Instant) -> Limit {
        let cached = self.locked(|cache| cache.reserved.get(name).copied());
        if let Some(limit) = fresh(cached, &self.clock.now()) {
            return limit;
        }
        let answer = self.read(functions.reserved_concurrency(name), until).await;
        let limit = limit_of(answer.map(|limit| limit.map_or(Limit::Free, of)), cached, name);
        if limit.1 {
            self.locked(|cache| cache.reserved.insert(name.to_owned(), (limit.0, self.clock.now())));
        }
        limit.0
    }

    /// What the account has left for functions without a reservation.
    pub(crate) async fn unreserved(&self, functions: &Functions, until: Instant) -> Limit {
        let cached = self.locked(|cache| cache.unreserved);
        if let Some(limit) = fresh(cached, &self.clock.now()) {
            return limit;
        }
        let answer = self.read(functions.account_concurrency(), until).await;
        let limit = limit_of(answer.map(|account| of(account.unreserved)), cached, "the account");
        if limit.1 {
            self.locked(|cache| cache.unreserved = Some((limit.0, self.clock.now())));
        }
        limit.0
    }

    /// The hash of the target's code; `None`: Lambda does not tell. The cache serves proofs only: what decides about a first
    /// ping is read at that moment.
    pub(crate) async fn code(&self, functions: &Functions, target: &Target, until: Instant) -> Option<String> {
        let cached = self.locked(|cache| cache.code.get(&target.key()).cloned());
        if let (Some((code, at)), Some(known)) = (cached, target.known())
            && self.clock.now().since(&at) < CODE_FRESH
            && known.code_sha256.as_ref() == Some(&code)
            && known.status == TargetStatus::Proven
        {
            return Some(code);
        }
        self.code_now(functions, target, until).await
    }

    pub(crate) async fn code_now(&self, functions: &Functions, target: &Target, until: Instant) -> Option<String> {
        let (name, qualifier) = (&target.function.name, target.function.qualifier.as_deref());
        match self.read(functions.code_sha256(name, qualifier), until).await {
            Ok(code) => {
                let code = code?;
                self.locked(|cache| cache.code.insert(target.key(), (code.clone(), self.clock.now())));
                Some(code)
            }
            Err(error) => {
                tracing::warn!(function = name, error = error.text, "the function's code is not known");
                None
            }
        }
    }

    async fn read<T>(&self, call: impl Future<Output = Result<T, AwsError>>, until: Instant) -> Result<T, NotRead> {
        let calm = async {
            // The semaphore is never closed.
            let _permit = self.reads.acquire().await;
            call.await
        };
        match tokio::time::timeout_at(until.into(), calm).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(NotRead { denied: error.kind == AwsErrorKind::Denied, text: error.to_string() }),
            Err(_) => Err(NotRead { denied: false, text: "there was no time for it".into() }),
        }
    }

    fn locked<T>(&self, work: impl FnOnce(&mut Cache) -> T) -> T {
        work(&mut self.cache.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct NotRead {
    denied: bool,
    text: String,
}

fn of(limit: i32) -> Limit {
    Limit::Of(u32::try_from(limit).unwrap_or(0))
}

fn fresh(cached: Option<(Limit, Moment)>, now: &Moment) -> Option<Limit> {
    cached.filter(|(_, at)| now.since(at) < LIMITS_FRESH).map(|(limit, _)| limit)
}

/// What to go by, and whether that is news. A failure leaves the last answer in force, however old.
fn limit_of(answer: Result<Limit, NotRead>, cached: Option<(Limit, Moment)>, of_what: &str) -> (Limit, bool) {
    match answer {
        Ok(limit) => (limit, true),
        Err(error) => {
            tracing::warn!(of = of_what, error = error.text, "the concurrency limit is not known");
            match (error.denied, cached) {
                (true, _) => (Limit::AccessDenied, true),
                (false, Some((limit, _))) => (limit, false),
                (false, None) => (Limit::Unknown, false),
            }
        }
    }
}
