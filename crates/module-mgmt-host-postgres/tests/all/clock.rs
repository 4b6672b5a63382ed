//! A clock that stands still until it is moved.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use module_mgmt_protocol::clock::{Clock, Moment};

#[derive(Clone)]
pub(crate) struct TestClock(Arc<Mutex<Moment>>);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Moment { wall: SystemTime::now(), steady: Instant::now() })))
    }

    pub(crate) fn advance(&self, seconds: u64) {
        let mut moment = self.0.lock().unwrap();
        moment.wall += Duration::from_secs(seconds);
        moment.steady += Duration::from_secs(seconds);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap()
    }
}
