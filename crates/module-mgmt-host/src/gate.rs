//! Lets a request through only while its module is on for the caller's organisation.
//!
//! The answer comes from a snapshot in memory, which is at most 30 seconds old and revalidated by its version. While the state
//! cannot be read, the last snapshot goes on for five minutes; after that core modules stay open and functional ones close. One request
//! waits 150 ms for a control plane that hangs; after that none waits that has a snapshot, until a read succeeds.
//!
//! ```no_run
//! use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
//! use module_mgmt_host::gate::{Gate, GateLayer, HttpSource};
//! use module_mgmt_host::warm::{Instance, WarmLayer};
//! use module_mgmt_protocol::state::ModuleType;
//! use tower::Layer as _;
//!
//! # async fn example() -> Result<(), Error> {
//! let instance = Instance::start();
//! let source = HttpSource::new("https://api.example.com")?;
//! let gate = Gate::for_module("module-orders", ModuleType::Functional).reading(source);
//! let handler = service_fn(async |event: LambdaEvent<serde_json::Value>| Ok::<_, Error>(event.payload));
//! let gated = GateLayer::new(gate.clone()).layer(handler);
//! Runtime::new(WarmLayer::new(instance).on_ping(gate).layer(gated)).run().await
//! # }
//! ```

mod admission;
mod credential;
mod http_client;
mod http_source;
mod layer;
mod limits;
mod memory;
mod revalidation;
mod source;
mod verdict;

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use admission::{Admission, NotAnHttpEvent};
pub use credential::Credential;
pub use http_source::{HttpSource, UrlError};
pub use layer::{GateLayer, Gated};
pub use limits::GateLimits;
pub use module_mgmt_protocol::clock::{Clock, Moment, SystemClock};
pub use source::{ReadError, StateRead, StateSource};
pub use verdict::{ClosedReason, Verdict};

use memory::Memory;
use module_mgmt_protocol::caller::ClaimNames;
use module_mgmt_protocol::decision::Permissions;
use module_mgmt_protocol::state::ModuleType;

/// The gate of one module. Clones share their snapshots.
#[derive(Clone)]
pub struct Gate {
    shared: Arc<Shared>,
}

struct Shared {
    module: String,
    /// What the host says the module is, for as long as no snapshot has said it.
    declared: ModuleType,
    limits: GateLimits,
    claim_names: ClaimNames,
    clock: Box<dyn Clock>,
    source: Box<dyn StateSource>,
    memory: Mutex<Memory>,
    /// Since the last answer, a request has waited in vain: until the next one, none waits that has a usable snapshot.
    is_silent: AtomicBool,
}

/// A gate that still needs its source.
pub struct GateBuilder {
    module: String,
    declared: ModuleType,
    limits: GateLimits,
    claim_names: ClaimNames,
    clock: Box<dyn Clock>,
}

impl GateBuilder {
    #[must_use]
    pub fn limits(self, limits: GateLimits) -> Self {
        Self { limits: limits.within_promises(), ..self }
    }

    /// How the identity provider calls the claims.
    #[must_use]
    pub fn claim_names(self, claim_names: ClaimNames) -> Self {
        Self { claim_names, ..self }
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Box::new(clock), ..self }
    }

    /// Nothing is read before the first request.
    pub fn reading(self, source: impl StateSource + 'static) -> Gate {
        let Self { module, declared, limits, claim_names, clock } = self;
        let memory = Mutex::new(Memory::new(limits.organisations));
        let (source, is_silent) = (Box::new(source), AtomicBool::new(false));
        Gate { shared: Arc::new(Shared { module, declared, limits, claim_names, clock, source, memory, is_silent }) }
    }
}

impl Gate {
    /// A gate for the module of this name. `declared` decides what happens before anything is known: core modules are open then,
    /// functional ones closed. Once a snapshot was read, what the registry says about the type counts instead.
    pub fn for_module(module: impl Into<String>, declared: ModuleType) -> GateBuilder {
        GateBuilder {
            module: module.into(),
            declared,
            limits: GateLimits::default(),
            claim_names: ClaimNames::default(),
            clock: Box::new(SystemClock),
        }
    }

    /// Whether the module is on for a caller of an organisation. Never fails: trouble is answered from what is known.
    ///
    /// A fresh snapshot answers without allocating or waiting. An older one that is still usable waits for a newer one for
    /// [`GateLimits::patience`], and not at all while reads fail. Without one, a read of at most [`GateLimits::timeout`] comes first.
    /// Where the source needs a credential of the caller, the last good one of this organisation is used.
    pub async fn check(&self, org_id: &str, permissions: &Permissions<'_>) -> Verdict {
        self.check_with(org_id, permissions, None).await
    }

    /// As [`Gate::check`], with the caller's own credential for the read.
    pub async fn check_with(
        &self,
        org_id: &str,
        permissions: &Permissions<'_>,
        credential: Option<&Credential>,
    ) -> Verdict {
        if let Some(verdict) = self.fresh(org_id, permissions) {
            return verdict;
        }
        self.revalidate_if_stale(org_id, credential).await;
        self.best_known(org_id, permissions)
    }

    fn fresh(&self, org_id: &str, permissions: &Permissions<'_>) -> Option<Verdict> {
        let now = self.shared.clock.now();
        let mut memory = self.memory();
        let snapshot = memory.used(org_id)?.snapshot.as_ref()?;
        (now.since(&snapshot.confirmed) < self.shared.limits.max_age).then(|| snapshot.decide(permissions))
    }

    fn best_known(&self, org_id: &str, permissions: &Permissions<'_>) -> Verdict {
        let now = self.shared.clock.now();
        let mut memory = self.memory();
        let snapshot = memory.used(org_id).and_then(|organisation| organisation.snapshot.as_ref());
        match snapshot {
            Some(snapshot) if now.since(&snapshot.confirmed) < self.shared.limits.max_stale => {
                snapshot.decide(permissions)
            }
            // A module does not change its type by being unreadable for long.
            older => match older.and_then(memory::Snapshot::module_type).unwrap_or(self.shared.declared) {
                ModuleType::Core => Verdict::Open,
                _ => Verdict::Closed(ClosedReason::StateUnknown),
            },
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // No code panics while it holds the lock half way through a change.
        self.shared.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Written by hand: snapshots are long and credentials secret.
impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { module, declared, limits, .. } = &*self.shared;
        f.debug_struct("Gate").field("module", module).field("declared", declared).field("limits", limits).finish()
    }
}
