//! A sink that hangs: one response waits for 150 ms, then none waits until a record arrives.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime};

use module_mgmt_protocol::clock::{Clock, Moment};

use super::*;

const PATIENCE: Duration = Duration::from_millis(150);
const HOUR: Duration = Duration::from_secs(3_600);

#[derive(Clone)]
struct TestClock(Arc<Mutex<Moment>>);

impl TestClock {
    fn advance(&self, seconds: u64) {
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

/// Takes as long as a test wants, and then what it says.
#[derive(Clone)]
struct Slow {
    behaviour: Arc<Mutex<(Duration, Result<(), &'static str>)>>,
    sent: Arc<AtomicUsize>,
}

impl Slow {
    fn becomes(&self, delay: Duration, answer: Result<(), &'static str>) {
        *self.behaviour.lock().unwrap() = (delay, answer);
    }

    fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }
}

impl UsageSink for Slow {
    fn send<'a>(&'a self, _: &'a UsageMessage) -> BoxFuture<'a, Result<(), String>> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let (delay, answer) = *self.behaviour.lock().unwrap();
        Box::pin(async move {
            tokio::time::sleep(delay).await;
            answer.map_err(str::to_owned)
        })
    }
}

fn slow(delay: Duration) -> (Slow, UsageRecorder, TestClock) {
    let sink = Slow { behaviour: Arc::new(Mutex::new((delay, Ok(())))), sent: Arc::default() };
    let clock = TestClock(Arc::new(Mutex::new(Moment { wall: SystemTime::now(), steady: Instant::now() })));
    let recorder = UsageRecorder::for_module("module-orders", sink.clone()).clock(clock.clone());
    (sink, recorder, clock)
}

/// How long the response waits.
async fn record(recorder: &UsageRecorder) -> Duration {
    let before = tokio::time::Instant::now();
    recorder.record("o", "u", UsageSpan::begin(EventType::Export), UseOutcome::Success).await;
    before.elapsed()
}

/// Lets what nobody waits for go on; no time passes.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_response_waits_150_ms_and_none_after_it_for_ten_minutes() {
    // The timers run with the clock, and stand still.
    for timers in [Duration::from_secs(1), Duration::ZERO] {
        let (sink, recorder, clock) = slow(HOUR);
        let mut waited = Vec::new();
        for _ in 0..600 {
            waited.push(record(&recorder).await);
            tokio::time::sleep(timers).await;
            clock.advance(1);
        }
        assert_eq!(waited.remove(0), PATIENCE);
        assert_eq!(waited.iter().max(), Some(&Duration::ZERO));
        settle().await;
        // After pauses of 1, 2, 4, 8, 16 and then 30 seconds.
        assert_eq!((recorder.unsent(), sink.sent()), (600, 24));
    }
}

#[tokio::test(start_paused = true)]
async fn what_arrives_late_is_no_longer_unsent_and_ends_the_back_off() {
    let (sink, recorder, clock) = slow(Duration::from_millis(400));
    assert_eq!((record(&recorder).await, recorder.unsent()), (PATIENCE, 1));
    assert_eq!((record(&recorder).await, recorder.unsent()), (Duration::ZERO, 2));
    tokio::time::sleep(Duration::from_millis(251)).await;
    assert_eq!((recorder.unsent(), sink.sent()), (1, 1));
    sink.becomes(Duration::from_millis(100), Ok(()));
    assert_eq!((record(&recorder).await, recorder.unsent()), (Duration::from_millis(100), 1));

    // The same after a long time of hanging.
    sink.becomes(HOUR, Ok(()));
    for _ in 0..100 {
        record(&recorder).await;
        settle().await;
        clock.advance(1);
    }
    assert_eq!(recorder.unsent(), 101);
    sink.becomes(Duration::ZERO, Ok(()));
    clock.advance(30);
    assert_eq!((record(&recorder).await, recorder.unsent()), (Duration::ZERO, 102));
    settle().await;
    assert_eq!((recorder.unsent(), record(&recorder).await, recorder.unsent()), (101, Duration::ZERO, 101));
}

#[tokio::test(start_paused = true)]
async fn a_sending_ends_after_two_seconds() {
    let (sink, recorder, _) = slow(Duration::from_millis(2_001));
    record(&recorder).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!((recorder.unsent(), sink.sent()), (1, 1));
}

/// A use of a module that is off is refused at once, and that says nothing about the next use.
#[tokio::test(start_paused = true)]
async fn refusals_in_time_make_nobody_back_off_and_end_it() {
    let (sink, recorder, clock) = slow(Duration::ZERO);
    sink.becomes(Duration::from_millis(100), Err("platform_off"));
    for unsent in 1..5 {
        assert_eq!((record(&recorder).await, recorder.unsent()), (Duration::from_millis(100), unsent));
    }
    sink.becomes(HOUR, Ok(()));
    assert_eq!((record(&recorder).await, record(&recorder).await), (PATIENCE, Duration::ZERO));
    sink.becomes(Duration::from_millis(100), Err("platform_off"));
    clock.advance(1);
    assert_eq!(record(&recorder).await, Duration::ZERO);
    tokio::time::sleep(PATIENCE).await;
    assert_eq!((record(&recorder).await, recorder.unsent()), (Duration::from_millis(100), 8));
}

struct Panicking;

impl UsageSink for Panicking {
    fn send<'a>(&'a self, _: &'a UsageMessage) -> BoxFuture<'a, Result<(), String>> {
        panic!("as the test wants it")
    }
}

#[tokio::test]
async fn a_sink_that_panics_fails_nothing() {
    let recorder = UsageRecorder::for_module("module-orders", Panicking);
    record(&recorder).await;
    assert_eq!(recorder.unsent(), 1);
}
