//! A control plane that hangs: one request waits for 150 ms, then none waits that has a snapshot. Time is the tests' own, but for the
//! sockets at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use module_mgmt_host::BoxFuture;
use module_mgmt_host::gate::{Credential, Gate, GateLimits, HttpSource, ReadError, StateRead, StateSource, Verdict};
use module_mgmt_protocol::decision::{Permissions, Reason};
use module_mgmt_protocol::state::{ModuleType, RegistryState};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use crate::bed::{MODULE, Registry, TestClock, UNKNOWN, check, module, off};

const PATIENCE: Duration = Duration::from_millis(150);
const HOUR: Duration = Duration::from_secs(3_600);
/// A snapshot that is usable for as long as a test takes.
const LASTING: GateLimits = GateLimits {
    max_age: Duration::from_secs(30),
    max_stale: HOUR,
    timeout: Duration::from_secs(2),
    patience: PATIENCE,
    retry_after: Duration::from_secs(1),
    organisations: 1_000,
};

/// Lets the reads that nobody waits for go on; no time passes.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

/// A gate that has read the state of `a`, which is 30 seconds old; from now on, the registry hangs.
async fn gate_whose_registry_hangs(limits: GateLimits) -> (Registry, Gate, TestClock) {
    let registry = Registry::of("a", vec![module(None)]);
    let (gate, clock) = registry.gate_with(ModuleType::Functional, limits);
    check(&gate, "a").await;
    registry.delay(HOUR);
    clock.advance(30);
    (registry, gate, clock)
}

#[tokio::test]
async fn the_limits_of_these_tests_are_the_default_ones_but_for_the_age() {
    // As a number: whoever changes the default changes what every request of a host may wait.
    assert_eq!(GateLimits { max_stale: Duration::from_secs(300), ..LASTING }, GateLimits::default());
}

#[tokio::test(start_paused = true)]
async fn one_request_waits_150_ms_and_none_after_it_for_ten_minutes() {
    let (registry, gate, clock) = gate_whose_registry_hangs(LASTING).await;
    let mut waited = Vec::new();
    for _ in 0..6_000 {
        let before = Instant::now();
        assert_eq!(check(&gate, "a").await, Verdict::Open);
        waited.push(before.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
        clock.advance_by(before.elapsed());
    }
    assert_eq!(waited.remove(0), PATIENCE);
    assert_eq!(waited.iter().max(), Some(&Duration::ZERO));
    // Each takes 2 seconds, and the pauses between them are 1, 2, 4, 8, 16 and then 30.
    assert!((20..=25).contains(&registry.count()), "{} reads", registry.count());
}

/// The clock moves and the timers do not.
#[tokio::test(start_paused = true)]
async fn a_read_that_has_had_its_time_by_the_clock_has_failed() {
    let (registry, gate, clock) = gate_whose_registry_hangs(LASTING).await;
    let before = Instant::now();
    for _ in 0..600 {
        assert_eq!(check(&gate, "a").await, Verdict::Open);
        clock.advance(1);
    }
    assert_eq!(before.elapsed(), PATIENCE);
    settle().await;
    assert!((20..=25).contains(&registry.count()), "{} reads", registry.count());
}

/// A ping's read begins, then the sandbox is frozen. That is no fault of the control plane.
#[tokio::test(start_paused = true)]
async fn a_read_that_was_frozen_has_not_failed() {
    let (registry, gate, clock) = gate_whose_registry_hangs(LASTING).await;
    assert!(tokio::time::timeout(Duration::from_millis(10), gate.refresh()).await.is_err());
    clock.freeze(60);
    registry.delay(Duration::from_millis(100));
    registry.put("a", "2", vec![module(Some(Reason::OrgOff))]);
    assert_eq!((check(&gate, "a").await, registry.count()), (off(Reason::OrgOff), 3));
}

#[tokio::test(start_paused = true)]
async fn a_sandbox_that_is_frozen_after_each_request_waits_once() {
    let (_, gate, clock) = gate_whose_registry_hangs(LASTING).await;
    let before = Instant::now();
    for _ in 0..60 {
        assert_eq!(check(&gate, "a").await, Verdict::Open);
        clock.freeze(10);
    }
    assert_eq!(before.elapsed(), PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn requests_that_come_together_wait_together() {
    let (registry, gate, _) = gate_whose_registry_hangs(LASTING).await;
    let before = Instant::now();
    let late = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        check(&gate, "a").await
    };
    let all = futures_util::future::join_all((0..50).map(|_| check(&gate, "a")));
    let (all, late) = tokio::join!(all, late);
    assert!(all.into_iter().chain([late]).all(Verdict::is_open));
    assert_eq!(
        (before.elapsed(), registry.count()),
        (PATIENCE, 2),
        "the patience counts from the beginning of the read"
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_success_ends_the_back_off() {
    let (registry, gate, clock) = gate_whose_registry_hangs(LASTING).await;
    for _ in 0..100 {
        check(&gate, "a").await;
        clock.advance(1);
    }
    registry.delay(Duration::ZERO);
    registry.put("a", "2", vec![module(Some(Reason::OrgOff))]);
    clock.advance(30);
    let before = Instant::now();
    assert_eq!(check(&gate, "a").await, Verdict::Open, "it does not wait, though an answer would come at once");
    settle().await;
    assert_eq!(check(&gate, "a").await, off(Reason::OrgOff));
    assert_eq!(before.elapsed(), Duration::ZERO);
    // From here on it is as it was before the trouble: a request waits for what comes in time, and 150 ms in vain.
    registry.delay(Duration::from_millis(100));
    registry.put("a", "3", vec![module(None)]);
    clock.advance(30);
    assert_eq!((check(&gate, "a").await, before.elapsed()), (Verdict::Open, Duration::from_millis(100)));
    registry.delay(HOUR);
    clock.advance(30);
    assert_eq!((check(&gate, "a").await, before.elapsed()), (Verdict::Open, Duration::from_millis(250)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_the_patience_is_there_for_the_next_request() {
    let registry = Registry::of("a", vec![module(None)]);
    let (gate, clock) = registry.gate(ModuleType::Functional);
    check(&gate, "a").await;
    registry.delay(Duration::from_millis(400));
    registry.put("a", "2", vec![module(Some(Reason::OrgOff))]);
    clock.advance(30);
    assert_eq!(check(&gate, "a").await, Verdict::Open);
    tokio::time::sleep(Duration::from_millis(251)).await;
    assert_eq!((check(&gate, "a").await, registry.count()), (off(Reason::OrgOff), 2));
}

#[tokio::test(start_paused = true)]
async fn no_other_organisation_waits_for_a_control_plane_that_hangs() {
    let registry = Registry::default();
    let ids: Vec<String> = (0..100).map(|n| format!("org-{n}")).collect();
    for org_id in &ids {
        registry.put(org_id, "1", vec![module(None)]);
    }
    let (gate, clock) = registry.gate(ModuleType::Functional);
    for org_id in &ids {
        check(&gate, org_id).await;
    }
    registry.delay(HOUR);
    clock.advance(30);
    let before = Instant::now();
    for org_id in &ids {
        assert_eq!(check(&gate, org_id).await, Verdict::Open);
    }
    assert_eq!(before.elapsed(), PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn without_a_usable_snapshot_a_request_waits_for_the_whole_read_and_asks_once_a_second() {
    let (registry, gate, clock) = gate_whose_registry_hangs(GateLimits::default()).await;
    while clock.age() < Duration::from_secs(300) {
        let before = Instant::now();
        assert_eq!(check(&gate, "a").await, Verdict::Open);
        tokio::time::sleep(Duration::from_secs(1)).await;
        clock.advance_by(before.elapsed());
    }
    // What is under way by now may have begun earlier.
    tokio::time::sleep(Duration::from_secs(2)).await;
    clock.advance(2);
    for _ in 0..3 {
        let (before, reads) = (Instant::now(), registry.count());
        assert_eq!(check(&gate, "a").await, UNKNOWN);
        assert_eq!((before.elapsed(), registry.count() - reads), (Duration::from_secs(2), 1));
        assert_eq!((check(&gate, "a").await, registry.count() - reads), (UNKNOWN, 1));
        clock.advance(1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_takes_the_full_time_however_long_the_pause_is() {
    let (registry, gate, clock) = gate_whose_registry_hangs(LASTING).await;
    for _ in 0..300 {
        check(&gate, "a").await;
        clock.advance(1);
    }
    registry.delay(Duration::from_millis(1_900));
    registry.put("a", "2", vec![module(Some(Reason::OrgOff))]);
    let before = Instant::now();
    clock.advance(2);
    gate.refresh().await;
    assert_eq!(before.elapsed(), Duration::from_millis(1_900));
    assert_eq!((check(&gate, "a").await, before.elapsed()), (off(Reason::OrgOff), Duration::from_millis(1_900)));
}

/// A failure that comes at once holds nobody either, and is not asked for at every request.
#[tokio::test(start_paused = true)]
async fn a_control_plane_that_refuses_is_asked_less_and_less_often() {
    for after in [Duration::ZERO, Duration::from_secs(1)] {
        let (registry, gate, clock) = gate_whose_registry_hangs(LASTING).await;
        registry.delay(after);
        registry.fail(Some("connection refused"));
        let before = Instant::now();
        for _ in 0..600 {
            assert_eq!(check(&gate, "a").await, Verdict::Open);
            settle().await;
            clock.advance(1);
        }
        assert_eq!(before.elapsed(), after.min(PATIENCE));
        assert!((20..=27).contains(&registry.count()), "{} reads", registry.count());
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_credential_lets_the_next_caller_try_a_second_later() {
    let registry = Registry::of("a", vec![module(None)]);
    let (gate, clock) = registry.gate(ModuleType::Functional);
    check(&gate, "a").await;
    registry.refuse_credentials();
    clock.advance(30);
    for expected in 2..10 {
        assert_eq!(check(&gate, "a").await, Verdict::Open);
        assert_eq!(registry.count(), expected);
        clock.advance(1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_that_answers_too_late_replaces_no_newer_state() {
    let (registry, gate, clock) = gate_whose_registry_hangs(LASTING).await;
    registry.delay(Duration::from_millis(500));
    check(&gate, "a").await;
    clock.advance(60);
    registry.delay(Duration::ZERO);
    registry.put("a", "2", vec![module(Some(Reason::OrgOff))]);
    check(&gate, "a").await;
    settle().await;
    assert_eq!((check(&gate, "a").await, registry.count()), (off(Reason::OrgOff), 3));
    registry.put("a", "0", vec![module(None)]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((check(&gate, "a").await, registry.count()), (off(Reason::OrgOff), 3));
}

/// Two reads overlap, as the first was overdue when the second began: what that one finds unchanged is not what the first one brought.
#[tokio::test(start_paused = true)]
async fn unchanged_confirms_the_version_that_was_asked_about() {
    let (registry, gate, clock) = gate_whose_registry_hangs(LASTING).await;
    registry.delay(Duration::from_millis(500));
    check(&gate, "a").await;
    clock.advance(60);
    registry.delay(Duration::from_millis(1_000));
    check(&gate, "a").await;
    registry.put("a", "2", vec![module(Some(Reason::OrgOff))]);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(check(&gate, "a").await, off(Reason::OrgOff));
    registry.put("a", "1", vec![module(None)]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    registry.delay(Duration::ZERO);
    clock.advance(2);
    check(&gate, "a").await;
    settle().await;
    assert_eq!((check(&gate, "a").await, registry.count()), (Verdict::Open, 4));
}

/// Answers once, then panics.
struct Panicking(AtomicUsize);

impl StateSource for Panicking {
    fn read<'a>(
        &'a self,
        _: &'a str,
        _: Option<&'a Credential>,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<StateRead, ReadError>> {
        assert_eq!(self.0.fetch_add(1, Ordering::Relaxed), 0, "as the test wants it");
        let state = RegistryState { version: "1".into(), org_id: "a".into(), modules: vec![module(None)] };
        Box::pin(async { Ok(StateRead::Changed(state)) })
    }
}

#[tokio::test]
async fn a_source_that_panics_is_a_failure_like_others() {
    let clock = TestClock::new();
    let source = Panicking(AtomicUsize::new(0));
    let gate = Gate::for_module(MODULE, ModuleType::Functional).clock(clock.clone()).reading(source);
    for expected in [Verdict::Open, Verdict::Open, UNKNOWN] {
        assert_eq!(check(&gate, "a").await, expected);
        clock.advance(150);
    }
}

/// What a real server does with the second and every further connection.
#[derive(Debug, Clone, Copy)]
enum Wire {
    NeverAnswers,
    SendsHeadersOnly,
    /// As somebody between us and the control plane does that cannot reach it.
    ClosesAfterASecond,
}

/// Answers the first connection properly and closes it. Counts all.
async fn server(wire: Wire) -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let state = RegistryState { version: "1".into(), org_id: "a".into(), modules: vec![module(None)] };
    let body = serde_json::to_string(&state).unwrap();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.read(&mut [0; 4_096]).await;
            match (counted.fetch_add(1, Ordering::Relaxed), wire) {
                (0, _) => stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap(),
                (_, Wire::NeverAnswers) => kept.push(stream),
                (_, Wire::SendsHeadersOnly) => {
                    let _ = stream.write_all(head.as_bytes()).await;
                    kept.push(stream);
                }
                (_, Wire::ClosesAfterASecond) => drop(tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    drop(stream);
                })),
            }
        }
    });
    (url, connections)
}

/// Real sockets and real timers; only the gate's clock runs ten minutes ahead. A request that waits for the whole read takes two
/// seconds, and 600 that wait for 150 ms take ninety.
#[tokio::test]
async fn a_server_that_hangs_holds_one_request_for_150_ms_and_no_other() {
    for wire in [Wire::NeverAnswers, Wire::SendsHeadersOnly, Wire::ClosesAfterASecond] {
        let (url, connections) = server(wire).await;
        let (clock, source) = (TestClock::new(), HttpSource::new(&url).unwrap());
        let gate = Gate::for_module(MODULE, ModuleType::Functional).limits(LASTING).clock(clock.clone());
        let gate = gate.reading(source);
        let credential = Credential::new("Bearer a");
        let check = async || gate.check_with("a", &Permissions::All, Some(&credential)).await;
        assert_eq!(check().await, Verdict::Open);
        clock.advance(30);
        let before = std::time::Instant::now();
        assert_eq!(check().await, Verdict::Open);
        let first = before.elapsed();
        assert!((PATIENCE..Duration::from_millis(1_500)).contains(&first), "{wire:?}: {first:?}");
        let before = std::time::Instant::now();
        for _ in 0..600 {
            assert_eq!(check().await, Verdict::Open);
            clock.advance(1);
            tokio::task::yield_now().await;
        }
        let others = before.elapsed();
        assert!(others < Duration::from_secs(10), "{wire:?}: {others:?}");
        assert!(connections.load(Ordering::Relaxed) <= 26, "{wire:?}");
    }
}
