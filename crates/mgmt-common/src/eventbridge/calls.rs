//! The door through which every call goes: paced, retried, counted, and shut at the deadline.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use aws_sdk_eventbridge::Client;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::time::sleep;

use super::pacing::Pacing;
use crate::aws::{AwsError, AwsErrorKind};

/// The calls of one reconcile.
pub(super) struct Calls<'a> {
    pub(super) client: &'a Client,
    pacing: &'a Pacing,
    deadline: Instant,
    next_write: Instant,
    retries_left: u32,
    /// Attempts made, successful or not.
    pub(super) reads: u32,
    pub(super) writes: u32,
}

impl<'a> Calls<'a> {
    pub(super) fn new(client: &'a Client, pacing: &'a Pacing, deadline: Instant) -> Self {
        let retries_left = pacing.retry_budget;
        Self { client, pacing, deadline, next_write: Instant::now(), retries_left, reads: 0, writes: 0 }
    }

    /// A call that changes nothing; not paced.
    pub(super) async fn read<T, E, F>(
        &mut self,
        action: &'static str,
        resource: &str,
        send: impl Fn() -> F,
    ) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.retrying(action, resource, false, send).await
    }

    /// A call that changes something and may be repeated safely, as all writes to rules may.
    pub(super) async fn write<T, E, F>(
        &mut self,
        action: &'static str,
        resource: &str,
        send: impl Fn() -> F,
    ) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.retrying(action, resource, true, send).await
    }

    /// How often the bus may be read until it shows what was written.
    pub(super) fn confirmations(&self) -> u32 {
        self.pacing.confirmations.max(1)
    }

    /// Waits before the next look or attempt: full jitter over a doubling interval, so that two managers that met once do
    /// not meet again.
    pub(super) async fn back_off(&self, attempt: u32) {
        let longest = self.pacing.initial_backoff.saturating_mul(1 << attempt.min(16)).min(self.pacing.max_backoff);
        sleep(longest.mul_f64(random_fraction())).await;
    }

    async fn retrying<T, E, F>(
        &mut self,
        action: &'static str,
        resource: &str,
        is_write: bool,
        send: impl Fn() -> F,
    ) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let mut attempt = 0;
        loop {
            let turn = if is_write { self.next_write.max(Instant::now()) } else { Instant::now() };
            if turn < self.deadline {
                sleep(turn.saturating_duration_since(Instant::now())).await;
            }
            // Looked at again after the wait, which may have taken longer than asked for in a frozen sandbox.
            if turn.max(Instant::now()) >= self.deadline {
                return Err(deadline_passed(action, resource));
            }
            if is_write {
                self.next_write = turn + Duration::from_secs(1) / self.pacing.writes_per_second.max(1);
            }
            *(if is_write { &mut self.writes } else { &mut self.reads }) += 1;
            let error = match send().await {
                Ok(answer) => return Ok(answer),
                Err(error) => AwsError::from_sdk(action, resource, &error),
            };
            attempt += 1;
            if !error.kind.is_transient() || attempt >= self.pacing.attempts || self.retries_left == 0 {
                return Err(error);
            }
            self.retries_left -= 1;
            self.back_off(attempt - 1).await;
        }
    }
}

fn deadline_passed(action: &'static str, resource: &str) -> AwsError {
    AwsError {
        action,
        resource: resource.to_owned(),
        kind: AwsErrorKind::DeadlinePassed,
        code: None,
        message: "the time given to this sync was over before the call".to_owned(),
    }
}

/// A number in 0..1. The standard library seeds each `RandomState` anew, which is random enough to spread waits.
fn random_fraction() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 32;
    f64::from(u32::try_from(bits).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}
