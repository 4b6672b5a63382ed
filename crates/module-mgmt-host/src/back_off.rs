//! When something that does not answer is asked again, and for how long an answer may wait for it.

use std::time::Duration;

use module_mgmt_protocol::clock::Moment;

/// How long a request waits for something that it can do without.
pub(crate) const PATIENCE: Duration = Duration::from_millis(150);
/// The first pause after a failure. Each further one is twice as long.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// No pause is longer, unless the first one is.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The failures since the last success.
#[derive(Debug, Default)]
pub(crate) struct BackOff {
    failures: u32,
    /// The moment of the last failure, and the pause after it.
    paused: Option<(Moment, Duration)>,
}

impl BackOff {
    /// Doubles the pause; the first failure makes it `first`.
    pub(crate) fn fail(&mut self, at: Moment, first: Duration) {
        let doubled = first.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        self.paused = Some((at, doubled.min(LONGEST_PAUSE).max(first)));
    }

    /// A pause of this length, after something that says nothing about the other end.
    pub(crate) fn pause(&mut self, at: Moment, length: Duration) {
        self.paused = Some((at, length));
    }

    /// The other end answers.
    pub(crate) fn end(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failures > 0
    }

    pub(crate) fn is_paused(&self, now: &Moment) -> bool {
        self.is_paused_for_less(now, Duration::MAX)
    }

    /// For those who do not accept a longer pause than this.
    pub(crate) fn is_paused_for_less(&self, now: &Moment, longest: Duration) -> bool {
        self.paused.as_ref().is_some_and(|(at, pause)| now.since(at) < (*pause).min(longest))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Instant, SystemTime};

    use super::*;

    #[test]
    fn pauses_double_from_one_second_to_thirty_and_a_success_ends_them() {
        let start = Moment { wall: SystemTime::now(), steady: Instant::now() };
        let after = |pause: Duration| Moment { wall: start.wall + pause, steady: start.steady + pause };
        let mut back_off = BackOff::default();
        assert!(!back_off.is_paused(&start));
        for _ in 0..2 {
            for seconds in [1, 2, 4, 8, 16, 30, 30] {
                back_off.fail(start, FIRST_PAUSE);
                let pause = Duration::from_secs(seconds);
                assert!(back_off.is_paused(&after(pause - Duration::from_millis(1))), "{seconds}");
                assert!(!back_off.is_paused(&after(pause)), "{seconds}");
                assert!(!back_off.is_paused_for_less(&after(FIRST_PAUSE), FIRST_PAUSE), "{seconds}");
            }
            back_off.end();
            assert!(!back_off.is_paused(&start) && !back_off.has_failed());
        }
        for _ in 0..100 {
            back_off.fail(start, Duration::from_secs(60));
        }
        assert!(back_off.is_paused(&after(Duration::from_secs(59))));
        assert!(!back_off.is_paused(&after(Duration::from_secs(60))), "the first pause is the longest");
    }
}
