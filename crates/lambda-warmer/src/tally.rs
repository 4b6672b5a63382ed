//! Figures of one function while they grow. Pure.

use std::collections::BTreeSet;

use crate::ping::PingOutcome;

#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) answered: u32,
    instances: BTreeSet<String>,
    pub(crate) cold: u32,
    pub(crate) init_ms: u64,
    pub(crate) throttled: u32,
    pub(crate) errors: u32,
    pub(crate) last_error: Option<String>,
    /// What else than the warm layer answered a native ping.
    pub(crate) not_the_protocol: Option<String>,
    /// A ping of which nobody knows what it ran.
    pub(crate) unclear: Option<String>,
}

impl Tally {
    /// One round of pings.
    pub(crate) fn of(round: Vec<PingOutcome>) -> Self {
        let mut tally = Self::default();
        for shown in round {
            tally.add(shown);
        }
        tally
    }

    fn add(&mut self, shown: PingOutcome) {
        match shown {
            PingOutcome::Reached(proof) => {
                self.answered += 1;
                let Some(answer) = proof else { return };
                if answer.cold_start {
                    self.cold += 1;
                    self.init_ms = self.init_ms.saturating_add(answer.init_ms);
                }
                self.instances.insert(answer.instance_id);
            }
            PingOutcome::NotTheProtocol(what) => {
                self.errors += 1;
                self.not_the_protocol = Some(what);
            }
            PingOutcome::Unclear(what) => {
                self.errors += 1;
                self.last_error = Some(what.clone());
                self.unclear = Some(what);
            }
            PingOutcome::Throttled => self.throttled += 1,
            PingOutcome::NotRun(what) => {
                self.errors += 1;
                self.last_error = Some(what);
            }
        }
    }

    /// Adds a later round. Native pings go out in full each time, so the larger number of answers counts; of others only the
    /// failed ones are repeated, so their answers add up.
    pub(crate) fn add_round(&mut self, round: Self, is_native: bool) {
        self.answered = if is_native { self.answered.max(round.answered) } else { self.answered + round.answered };
        self.instances.extend(round.instances);
        self.cold += round.cold;
        self.init_ms = self.init_ms.saturating_add(round.init_ms);
        self.throttled += round.throttled;
        self.errors += round.errors;
        self.last_error = round.last_error.or(self.last_error.take());
        self.not_the_protocol = round.not_the_protocol.or(self.not_the_protocol.take());
        self.unclear = round.unclear.or(self.unclear.take());
    }

    pub(crate) fn unique(&self) -> u32 {
        u32::try_from(self.instances.len()).unwrap_or(u32::MAX)
    }
}
