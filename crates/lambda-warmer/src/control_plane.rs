//! What Lambda tells about functions and the account, asked for as rarely and as calmly as possible.
//!
//! Lambda takes 15 such reads a second from a whole account (Lambda quotas, "control plane API requests"), and people and
//! deployments need them too.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use mgmt_common::aws::{AwsError, AwsErrorKind};
use mgmt_common::functions::Functions;
use tokio::sync::Semaphore;

use crate::capacity::Cap;
use crate::proof::{Key, Status};
use crate::target::Target;

/// Concurrency limits change rarely.
const LIMITS_FRESH: Duration = Duration::from_secs(600);
/// Shorter than the shortest interval, so that each scheduled minute looks anew. A deployment without the warm layer that
/// falls between this look and the pings runs its handler once per ping, which no look can rule out.
const CODE_FRESH: Duration = Duration::from_secs(50);
const READS_AT_ONCE: usize = 8;

#[derive(Debug)]
pub(crate) struct ControlPlane {
    cache: Mutex<Cache>,
    reads: Semaphore,
}

#[derive(Debug, Default)]
struct Cache {
    reserved: BTreeMap<String, (Cap, Instant)>,
    unreserved: Option<(Cap, Instant)>,
    code: BTreeMap<Key, (String, Instant)>,
}

impl Default for ControlPlane {
    fn default() -> Self {
        Self { cache: Mutex::default(), reads: Semaphore::new(READS_AT_ONCE) }
    }
}

impl ControlPlane {
    /// The function's reserved concurrency.
    pub(crate) async fn reserved(&self, functions: &Functions, name: &str, until: Instant) -> Cap {
        let cached = self.locked(|cache| cache.reserved.get(name).copied());
        if let Some(cap) = fresh(cached) {
            return cap;
        }
        let answer = self.read(functions.reserved_concurrency(name), until).await;
        let cap = cap(answer.map(|limit| limit.map_or(Cap::Free, of)), cached, name);
        if cap.1 {
            self.locked(|cache| cache.reserved.insert(name.to_owned(), (cap.0, Instant::now())));
        }
        cap.0
    }

    /// What the account has left for functions without a reservation.
    pub(crate) async fn unreserved(&self, functions: &Functions, until: Instant) -> Cap {
        let cached = self.locked(|cache| cache.unreserved);
        if let Some(cap) = fresh(cached) {
            return cap;
        }
        let answer = self.read(functions.account_concurrency(), until).await;
        let cap = cap(answer.map(|account| of(account.unreserved)), cached, "the account");
        if cap.1 {
            self.locked(|cache| cache.unreserved = Some((cap.0, Instant::now())));
        }
        cap.0
    }

    /// The hash of the target's code; `None`: Lambda does not tell. The cache serves proofs only: what decides about a first
    /// ping is read at that moment.
    pub(crate) async fn code(&self, functions: &Functions, target: &Target, until: Instant) -> Option<String> {
        let cached = self.locked(|cache| cache.code.get(&target.key()).cloned());
        if let (Some((code, at)), Some(known)) = (cached, target.known())
            && at.elapsed() < CODE_FRESH
            && known.code_sha256.as_ref() == Some(&code)
            && known.status == Status::Proven
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
                self.locked(|cache| cache.code.insert(target.key(), (code.clone(), Instant::now())));
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

fn of(limit: i32) -> Cap {
    Cap::Of(u32::try_from(limit).unwrap_or(0))
}

fn fresh(cached: Option<(Cap, Instant)>) -> Option<Cap> {
    cached.filter(|(_, at)| at.elapsed() < LIMITS_FRESH).map(|(cap, _)| cap)
}

/// What to go by, and whether that is news. A failure leaves the last answer in force, however old.
fn cap(answer: Result<Cap, NotRead>, cached: Option<(Cap, Instant)>, of_what: &str) -> (Cap, bool) {
    match answer {
        Ok(cap) => (cap, true),
        Err(error) => {
            tracing::warn!(of = of_what, error = error.text, "the concurrency limit is not known");
            match (error.denied, cached) {
                (true, _) => (Cap::NotTold, true),
                (false, Some((cap, _))) => (cap, false),
                (false, None) => (Cap::NotKnown, false),
            }
        }
    }
}
