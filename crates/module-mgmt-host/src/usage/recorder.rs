//! Records the uses of one module, and counts what it could not send.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use module_mgmt_protocol::caller::ClaimNames;
use module_mgmt_protocol::clock::{Clock, SystemClock};
use module_mgmt_protocol::usage::UsageMessage;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use tracing::Instrument as _;

use super::{UsageSink, UsageSpan, UseOutcome};
use crate::back_off::{BackOff, FIRST_PAUSE, PATIENCE};

/// How long a response waits for its record to be sent.
pub const DEFAULT_PATIENCE: Duration = PATIENCE;
/// How long one record is sent in all, the time included in which no response waits for it.
const SENDING_LIMIT: Duration = Duration::from_secs(2);

/// Records the uses of one module. Clones share their counter.
#[derive(Clone)]
pub struct UsageRecorder {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
}

struct Shared {
    module: String,
    patience: Duration,
    claim_names: ClaimNames,
    unsent: AtomicU64,
    back_off: Mutex<BackOff>,
    sink: Box<dyn UsageSink>,
}

impl UsageRecorder {
    pub fn for_module(module: impl Into<String>, sink: impl UsageSink + 'static) -> Self {
        Self::with(module, sink, DEFAULT_PATIENCE, ClaimNames::default())
    }

    /// With another patience, and with the names that the identity provider has for its claims.
    pub fn with(
        module: impl Into<String>,
        sink: impl UsageSink + 'static,
        patience: Duration,
        claim_names: ClaimNames,
    ) -> Self {
        let (module, unsent, sink) = (module.into(), AtomicU64::new(0), Box::new(sink));
        let back_off = Mutex::default();
        let shared = Arc::new(Shared { module, patience, claim_names, unsent, back_off, sink });
        Self { shared, clock: Arc::new(SystemClock) }
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Records a use that has ended, before the response is returned. Returns when it is sent or refused, or after the patience; never
    /// fails.
    ///
    /// After the patience it counts as unsent. The sending goes on without the response, for 2 seconds in all, and a record that arrives
    /// is no longer unsent. Until something arrives no response waits: after pauses of 1, 2, 4 and up to 30 seconds one record is sent,
    /// and the others are unsent.
    pub async fn record(&self, org_id: &str, user_id: &str, span: UsageSpan, outcome: UseOutcome) {
        let event = span.end(&self.shared.module, outcome);
        let message = UsageMessage { org_id: org_id.to_owned(), user_id: user_id.to_owned(), event };
        let Some(patience) = self.patience() else {
            return self.shared.give_up("nothing has arrived lately, and it is not yet time to try again");
        };
        let (answered, mut answer) = oneshot::channel();
        let sending = Arc::clone(&self.shared).send(message, answered);
        tokio::spawn(sending.in_current_span());
        match timeout(patience, &mut answer).await {
            Ok(Ok(sent)) => {
                self.shared.back_off().end();
                if let Err(cause) = sent {
                    self.shared.give_up(&cause);
                }
            }
            Ok(Err(_)) => self.shared.give_up("the sink has panicked"),
            Err(_) => {
                self.shared.give_up("it took too long");
                if patience > Duration::ZERO {
                    self.shared.back_off().fail(self.clock.now(), FIRST_PAUSE);
                }
                answer.close();
                // It may have come since.
                if let Ok(sent) = answer.try_recv() {
                    self.shared.learn_late(&sent, true);
                }
            }
        }
    }

    /// How long the response waits for a record that is sent now; `None` while none is sent.
    fn patience(&self) -> Option<Duration> {
        let now = self.clock.now();
        let mut back_off = self.shared.back_off();
        if back_off.is_paused(&now) {
            return None;
        }
        if !back_off.has_failed() {
            return Some(self.shared.patience);
        }
        // It has failed until it arrives, so that no other is sent meanwhile.
        back_off.fail(now, FIRST_PAUSE);
        Some(Duration::ZERO)
    }

    /// How many uses of this sandbox are not known to have arrived. One that was given up while its answer was awaited may have.
    pub fn unsent(&self) -> u64 {
        self.shared.unsent.load(Ordering::Relaxed)
    }

    pub(super) fn claim_names(&self) -> &ClaimNames {
        &self.shared.claim_names
    }
}

impl Shared {
    async fn send(self: Arc<Self>, message: UsageMessage, answered: oneshot::Sender<Result<(), String>>) {
        let began = Instant::now();
        let limit = SENDING_LIMIT.max(self.patience);
        let sent = timeout(limit, self.sink.send(&message)).await;
        let sent = sent.unwrap_or_else(|_| Err("it took too long".to_owned()));
        let is_prompt = began.elapsed() <= self.patience;
        // The response may have gone without it.
        if let Err(sent) = answered.send(sent) {
            self.learn_late(&sent, is_prompt);
        }
    }

    /// What became of a record that counts as unsent.
    fn learn_late(&self, sent: &Result<(), String>, is_prompt: bool) {
        // Whoever refuses promptly holds nobody.
        if sent.is_ok() || is_prompt {
            self.back_off().end();
        }
        match sent {
            Ok(()) => {
                let unsent = self.unsent.fetch_sub(1, Ordering::Relaxed) - 1;
                tracing::info!(module = self.module, unsent, "a use was recorded after all");
            }
            Err(cause) => tracing::debug!(module = self.module, cause, "a use was not recorded later either"),
        }
    }

    fn give_up(&self, cause: &str) {
        let unsent = self.unsent.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::warn!(module = self.module, cause, unsent, "a use was not recorded");
    }

    fn back_off(&self) -> MutexGuard<'_, BackOff> {
        self.back_off.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for UsageRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsageRecorder")
            .field("module", &self.shared.module)
            .field("unsent", &self.unsent())
            .finish_non_exhaustive()
    }
}
