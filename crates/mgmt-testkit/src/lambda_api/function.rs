//! A fake function, its instances and what it remembers.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::answers::Answer;

/// A function as a test describes it. Everything has a default; a new function answers the native ping protocol at once.
#[derive(Debug, Clone)]
pub struct FakeFunction {
    pub(crate) name: String,
    pub(crate) duration: Duration,
    pub(crate) init: Duration,
    pub(crate) answer: Answer,
    pub(crate) reserved: Option<u32>,
    pub(crate) qualifiers: Vec<String>,
    pub(crate) description: String,
    pub(crate) memory_mb: u32,
    pub(crate) code: String,
}

impl FakeFunction {
    /// A function with 128 MB that only `$LATEST` and no qualifier reach.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            duration: Duration::ZERO,
            init: Duration::ZERO,
            answer: Answer::Native,
            reserved: None,
            qualifiers: vec!["$LATEST".to_owned()],
            description: String::new(),
            memory_mb: 128,
            code: name.to_owned(),
        }
    }

    /// How long each invoke takes, besides what a ping asks it to hold.
    #[must_use]
    pub fn taking(self, duration: Duration) -> Self {
        Self { duration, ..self }
    }

    /// How long a new instance takes before its first invoke.
    #[must_use]
    pub fn with_init(self, init: Duration) -> Self {
        Self { init, ..self }
    }

    /// What the code is, as far as its hash tells; the function's name by default.
    #[must_use]
    pub fn with_code(self, code: &str) -> Self {
        Self { code: code.to_owned(), ..self }
    }

    #[must_use]
    pub fn answering(self, answer: Answer) -> Self {
        Self { answer, ..self }
    }

    /// Reserved concurrency: an invoke beyond it is throttled with `ReservedFunctionConcurrentInvocationLimitExceeded`.
    #[must_use]
    pub fn with_reserved_concurrency(self, reserved: u32) -> Self {
        Self { reserved: Some(reserved), ..self }
    }

    /// Adds an alias or version that invokes may name.
    #[must_use]
    pub fn with_qualifier(mut self, qualifier: &str) -> Self {
        self.qualifiers.push(qualifier.to_owned());
        self
    }

    #[must_use]
    pub fn described(self, description: &str, memory_mb: u32) -> Self {
        Self { description: description.to_owned(), memory_mb, ..self }
    }
}

/// What the fake saw of one function.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counters {
    /// Invokes that arrived, refused ones included.
    pub invokes: usize,
    /// Invokes that ran.
    pub ran: usize,
    /// Payloads that were no native ping and reached a handler, which a warmer should never cause.
    pub handled: usize,
    /// Distinct instances that ran at least one invoke.
    pub instances: usize,
    /// Invokes that met a new instance.
    pub cold: usize,
    /// The most invokes that ran at one moment.
    pub max_concurrency: usize,
    /// In order of arrival, refused ones included.
    pub payloads: Vec<Value>,
    /// Decoded; `None` where the invoke had none.
    pub client_contexts: Vec<Option<Value>>,
    /// `None` where the invoke named none.
    pub qualifiers: Vec<Option<String>>,
}

/// A deployed function.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) function: FakeFunction,
    pub(crate) instances: Vec<Instance>,
    pub(crate) script: VecDeque<Answer>,
    pub(crate) counters: Counters,
}

#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) born: Instant,
    pub(crate) is_busy: bool,
}

/// One invoke's hold on an instance.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) instance: String,
    pub(crate) born: Instant,
    pub(crate) is_cold: bool,
}

impl Running {
    pub(crate) fn new(function: FakeFunction) -> Self {
        Self { function, instances: Vec::new(), script: VecDeque::new(), counters: Counters::default() }
    }

    /// Instances with an event under way.
    pub(crate) fn busy(&self) -> usize {
        self.instances.iter().filter(|instance| instance.is_busy).count()
    }

    /// A free instance, or a new one; `None` when the reserved concurrency is used up.
    pub(crate) fn lease(&mut self, next_instance: &mut u32) -> Option<Lease> {
        let busy = self.busy();
        if self.function.reserved.is_some_and(|reserved| busy >= reserved as usize) {
            return None;
        }
        self.counters.ran += 1;
        self.counters.max_concurrency = self.counters.max_concurrency.max(busy + 1);
        if let Some(free) = self.instances.iter_mut().find(|instance| !instance.is_busy) {
            free.is_busy = true;
            return Some(Lease { instance: free.id.clone(), born: free.born, is_cold: false });
        }
        let (id, born) = (format!("instance-{next_instance}"), Instant::now());
        *next_instance += 1;
        self.counters.instances += 1;
        self.counters.cold += 1;
        self.instances.push(Instance { id: id.clone(), born, is_busy: true });
        Some(Lease { instance: id, born, is_cold: true })
    }

    pub(crate) fn release(&mut self, lease: &Lease) {
        if let Some(instance) = self.instances.iter_mut().find(|instance| instance.id == lease.instance) {
            instance.is_busy = false;
        }
    }
}
