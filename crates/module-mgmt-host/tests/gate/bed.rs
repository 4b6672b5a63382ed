//! A registry whose answers a test decides, and a clock that it moves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use module_mgmt_host::BoxFuture;
use module_mgmt_host::gate::{
    Clock, ClosedReason, Credential, Gate, GateLimits, Moment, ReadError, StateRead, StateSource, Verdict,
};
use module_mgmt_protocol::decision::{Permissions, Reason};
use module_mgmt_protocol::state::{ModuleState, ModuleType, RegistryState};

pub(crate) const MODULE: &str = "module-orders";
pub(crate) const UNKNOWN: Verdict = Verdict::Closed(ClosedReason::StateUnknown);

pub(crate) fn off(reason: Reason) -> Verdict {
    Verdict::Closed(ClosedReason::Off(reason))
}

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<Mutex<Moment>>, Instant);

impl TestClock {
    pub(crate) fn new() -> Self {
        let steady = Instant::now();
        Self(Arc::new(Mutex::new(Moment { wall: SystemTime::now(), steady })), steady)
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.advance_by(Duration::from_secs(seconds));
    }

    pub(crate) fn advance_by(&self, duration: Duration) {
        let mut moment = self.0.lock().unwrap();
        moment.wall += duration;
        moment.steady += duration;
    }

    /// How far it was moved.
    pub(crate) fn age(&self) -> Duration {
        self.0.lock().unwrap().steady - self.1
    }

    /// The sandbox is frozen and thawed: the steady clock stood still.
    pub(crate) fn freeze(&self, seconds: u64) {
        self.0.lock().unwrap().wall += Duration::from_secs(seconds);
    }

    /// Somebody sets the wall clock back.
    pub(crate) fn set_back(&self, seconds: u64) {
        self.0.lock().unwrap().wall -= Duration::from_secs(seconds);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap()
    }
}

pub(crate) fn module(reason: Option<Reason>) -> ModuleState {
    ModuleState {
        name: MODULE.into(),
        module_type: ModuleType::Functional,
        enabled: reason.is_none(),
        reason,
        required_permissions: Vec::new(),
    }
}

/// One read, as the registry saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) org_id: String,
    pub(crate) credential: Option<String>,
    pub(crate) known_version: Option<String>,
}

#[derive(Default)]
struct Inside {
    states: BTreeMap<String, RegistryState>,
    fault: Option<ReadError>,
    delay: Duration,
    reads: Vec<Read>,
    under_way: usize,
    most_under_way: usize,
}

/// Answers from memory, and strictly: an organisation that was not given is a failure.
#[derive(Clone, Default)]
pub(crate) struct Registry(Arc<Mutex<Inside>>);

impl Registry {
    pub(crate) fn of(org_id: &str, modules: Vec<ModuleState>) -> Self {
        let registry = Self::default();
        registry.put(org_id, "1", modules);
        registry
    }

    pub(crate) fn put(&self, org_id: &str, version: &str, modules: Vec<ModuleState>) {
        let state = RegistryState { version: version.into(), org_id: org_id.into(), modules };
        self.put_state(org_id, state);
    }

    /// What is answered for an organisation, whatever it says itself.
    pub(crate) fn put_state(&self, org_id: &str, state: RegistryState) {
        self.0.lock().unwrap().states.insert(org_id.into(), state);
    }

    pub(crate) fn fail(&self, fault: Option<&str>) {
        self.0.lock().unwrap().fault = fault.map(|fault| ReadError::Failed(fault.into()));
    }

    pub(crate) fn refuse_credentials(&self) {
        self.0.lock().unwrap().fault = Some(ReadError::Credential("expired".into()));
    }

    pub(crate) fn delay(&self, delay: Duration) {
        self.0.lock().unwrap().delay = delay;
    }

    pub(crate) fn reads(&self) -> Vec<Read> {
        self.0.lock().unwrap().reads.clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.reads().len()
    }

    pub(crate) fn most_under_way(&self) -> usize {
        self.0.lock().unwrap().most_under_way
    }

    pub(crate) fn gate(&self, declared: ModuleType) -> (Gate, TestClock) {
        self.gate_with(declared, GateLimits::default())
    }

    pub(crate) fn gate_with(&self, declared: ModuleType, limits: GateLimits) -> (Gate, TestClock) {
        let clock = TestClock::new();
        let gate = Gate::for_module(MODULE, declared).limits(limits).clock(clock.clone()).reading(self.clone());
        (gate, clock)
    }

    async fn answer(&self, read: Read) -> Result<StateRead, ReadError> {
        let delay = {
            let mut inside = self.0.lock().unwrap();
            inside.reads.push(read.clone());
            inside.under_way += 1;
            inside.most_under_way = inside.most_under_way.max(inside.under_way);
            inside.delay
        };
        tokio::time::sleep(delay).await;
        let mut inside = self.0.lock().unwrap();
        inside.under_way -= 1;
        if let Some(fault) = &inside.fault {
            return Err(fault.clone());
        }
        let state = inside.states.get(&read.org_id).ok_or_else(|| ReadError::Failed("no such organisation".into()))?;
        let is_known = read.known_version.as_deref() == Some(state.version.as_str());
        Ok(if is_known { StateRead::Unchanged } else { StateRead::Changed(state.clone()) })
    }
}

impl StateSource for Registry {
    fn read<'a>(
        &'a self,
        org_id: &'a str,
        credential: Option<&'a Credential>,
        known_version: Option<&'a str>,
    ) -> BoxFuture<'a, Result<StateRead, ReadError>> {
        let read = Read {
            org_id: org_id.into(),
            credential: credential.map(|credential| credential.authorization().to_owned()),
            known_version: known_version.map(str::to_owned),
        };
        Box::pin(self.answer(read))
    }
}

pub(crate) async fn check(gate: &Gate, org_id: &str) -> Verdict {
    gate.check(org_id, &Permissions::Claim("")).await
}
