//! Pings one function: a first ping alone where something has to be found out, then all together, once more where they fell
//! short.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use module_mgmt_protocol::ping::Ping;

use crate::State;
use crate::permits::Permits;
use crate::ping::{message, shown};
use crate::plan::Plan;
use crate::proof::Stand;
use crate::tally::Tally;

/// A ping that takes longer than its hold and this much is given up.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// Before a throttled function is pinged again.
const BACK_OFF: Duration = Duration::from_millis(400);

/// What all functions of a run share.
pub(crate) struct Run<'a> {
    pub(crate) state: &'a State,
    pub(crate) id: &'a str,
    pub(crate) permits: Permits,
    pub(crate) deadline: Instant,
}

/// What pings have found out about a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Nothing that was not known.
    NoNews,
    /// The first ping answered the protocol.
    Proven,
    /// A real handler has run, or may have.
    Suspended(String),
    /// The first ping did not run anything: it is still to be sent.
    NothingRan,
}

pub(crate) struct Pinged {
    pub(crate) tally: Tally,
    pub(crate) finding: Finding,
    /// Whether there was time for all pings.
    pub(crate) in_time: bool,
}

impl Run<'_> {
    pub(crate) async fn ping(&self, plan: &Plan<'_>) -> Pinged {
        let mut pinged = Pinged { tally: Tally::default(), finding: Finding::NoNews, in_time: true };
        if plan.pings == 0 {
            return pinged;
        }
        if plan.stand != Stand::Proven {
            self.ping_first(plan, &mut pinged).await;
            if !pinged.in_time || plan.pings == 1 || pinged.tally.answered == 0 {
                return pinged;
            }
        }
        pinged.in_time = self.ping_all(plan, &mut pinged.tally).await;
        // Code that is proven has an answer of its own only when it has run something else than its warm layer: it may have
        // been deployed since it was looked at, or a setting of its own has taken the layer away. An error or a timeout shows
        // no such thing. Such trouble passes, and its proof holds.
        if let Some(what) = &pinged.tally.not_the_protocol {
            pinged.finding = Finding::Suspended(format!("{what}, though it had answered the protocol before"));
        }
        pinged
    }

    /// One ping, and one more after a while where that was throttled.
    async fn ping_first(&self, plan: &Plan<'_>, pinged: &mut Pinged) {
        let hold = if plan.pings == 1 { self.state.settings.hold } else { Duration::ZERO };
        pinged.in_time = self.round(plan, 1, hold, &mut pinged.tally).await;
        if pinged.tally.throttled > 0 {
            tokio::time::sleep(BACK_OFF).await;
            pinged.in_time = self.round(plan, 1, hold, &mut pinged.tally).await;
        }
        pinged.finding = found(&plan.stand, &pinged.tally);
    }

    /// All pings together, and once more where they fell short. False: the time was over.
    async fn ping_all(&self, plan: &Plan<'_>, tally: &mut Tally) -> bool {
        let hold = self.state.settings.hold;
        let throttled_before = tally.throttled;
        if !self.round(plan, plan.pings, hold, tally).await {
            return false;
        }
        let is_native = plan.target.is_native();
        let short = plan.pings.saturating_sub(if is_native { tally.unique() } else { tally.answered });
        if short == 0 || tally.not_the_protocol.is_some() {
            return true;
        }
        if tally.throttled > throttled_before {
            tokio::time::sleep(BACK_OFF).await;
        }
        // Native pings go out in full again: a smaller number would meet the instances that are warm already. Others prove
        // nothing, so only those that failed are repeated.
        self.round(plan, if is_native { plan.pings } else { short }, hold, tally).await
    }

    /// Sends pings that start together. False: there was no time for them.
    async fn round(&self, plan: &Plan<'_>, pings: u32, hold: Duration, tally: &mut Tally) -> bool {
        let _permits = self.permits.take(plan.target.bare_name(), plan.reserved, pings).await;
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left < hold + Duration::from_millis(100) {
            return false;
        }
        let limit = left.min(hold + ANSWER_TIME);
        let hold_ms = u64::try_from(hold.as_millis()).unwrap_or(u64::MAX);
        let function = &plan.target.function;
        let sent = (1..=pings).map(async |invocation| {
            let ping = Ping { run_id: self.id.to_owned(), invocation, of: pings, hold_ms };
            let message = message(&function.payload, &ping);
            let (name, qualifier) = (&function.name, function.qualifier.as_deref());
            let context = message.client_context.as_deref();
            let outcome = self.state.functions.invoke(name, qualifier, message.payload, context, limit).await;
            shown(&function.payload, outcome)
        });
        tally.add_round(Tally::of(join_all(sent).await), plan.target.is_native());
        true
    }
}

/// What the first ping has shown. Of a function that is not proven, everything unclear counts as a real handler.
fn found(stand: &Stand, first: &Tally) -> Finding {
    if first.answered > 0 {
        return if *stand == Stand::Probe { Finding::Proven } else { Finding::NoNews };
    }
    match (&first.not_the_protocol, &first.unclear) {
        (Some(what), _) => Finding::Suspended(what.clone()),
        (None, Some(what)) if *stand == Stand::Probe => Finding::Suspended(what.clone()),
        _ if *stand == Stand::Probe => Finding::NothingRan,
        _ => Finding::NoNews,
    }
}
