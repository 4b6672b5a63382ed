//! What time it is, in a sandbox that may be frozen between two requests.

use std::time::{Duration, Instant, SystemTime};

/// One moment on both clocks. The steady clock may stand still while a sandbox is frozen, and the wall clock may be set back; the
/// time that has passed is therefore the larger of the two differences.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub wall: SystemTime,
    pub steady: Instant,
}

impl Moment {
    /// How much time has passed since an earlier moment.
    pub fn since(&self, earlier: &Self) -> Duration {
        let wall = self.wall.duration_since(earlier.wall).unwrap_or_default();
        wall.max(self.steady.saturating_duration_since(earlier.steady))
    }
}

/// Tells the time; tests bring their own.
pub trait Clock: Send + Sync {
    fn now(&self) -> Moment;
}

/// The machine's clocks.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment { wall: SystemTime::now(), steady: Instant::now() }
    }
}
