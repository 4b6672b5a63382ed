//! Records the uses of one module, and counts what it could not send.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use module_mgmt_protocol::caller::ClaimNames;
use module_mgmt_protocol::usage::UsageMessage;

use super::{UsageSink, UsageSpan, UseOutcome};

/// How long a response waits for its record to be sent.
pub const DEFAULT_PATIENCE: Duration = Duration::from_millis(500);

/// Records the uses of one module. Clones share their counter.
#[derive(Clone)]
pub struct UsageRecorder {
    shared: Arc<Shared>,
}

struct Shared {
    module: String,
    patience: Duration,
    claim_names: ClaimNames,
    unsent: AtomicU64,
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
        Self { shared: Arc::new(Shared { module, patience, claim_names, unsent, sink }) }
    }

    /// Records a use that has ended, before the response is returned. Returns when it is sent or given up; never fails.
    pub async fn record(&self, org_id: &str, user_id: &str, span: UsageSpan, outcome: UseOutcome) {
        let event = span.end(&self.shared.module, outcome);
        let message = UsageMessage { org_id: org_id.to_owned(), user_id: user_id.to_owned(), event };
        let sent = tokio::time::timeout(self.shared.patience, self.shared.sink.send(&message)).await;
        let failed = match sent {
            Ok(Ok(())) => return,
            Ok(Err(cause)) => cause,
            Err(_) => "it took too long".to_owned(),
        };
        let unsent = self.shared.unsent.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::warn!(module = self.shared.module, cause = failed, unsent, "a use was not recorded");
    }

    /// How many uses this sandbox could not send. One that was given up while its answer was awaited may have arrived.
    pub fn unsent(&self) -> u64 {
        self.shared.unsent.load(Ordering::Relaxed)
    }

    pub(super) fn claim_names(&self) -> &ClaimNames {
        &self.shared.claim_names
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
