//! A warm ping keeps the snapshots young.

use std::time::Duration;

use module_mgmt_host::gate::{Credential, Gate, Verdict};
use module_mgmt_host::warm::{Instance, Warm};
use module_mgmt_protocol::decision::{Permissions, Reason};
use module_mgmt_protocol::ping::PING_SOURCE;
use module_mgmt_protocol::state::ModuleType;
use serde_json::json;

use crate::bed::{Registry, UNKNOWN, check, module, off};

async fn ping(gate: &Gate) {
    let event = json!({"source": PING_SOURCE, "ping": {"runId": "r", "invocation": 1, "of": 1, "holdMs": 100}});
    let warm = Warm::new(Instance::start()).on_ping(gate.clone());
    assert!(warm.answer(&event.to_string()).await.is_some());
}

async fn check_as(gate: &Gate, org_id: &str, credential: &str) -> Verdict {
    gate.check_with(org_id, &Permissions::Claim(""), Some(&Credential::new(credential))).await
}

#[tokio::test(start_paused = true)]
async fn a_ping_refreshes_every_snapshot_with_the_newest_good_credential_of_its_organisation() {
    let registry = Registry::of("a", vec![module(None)]);
    registry.put("b", "1", vec![module(None)]);
    let (gate, clock) = registry.gate(ModuleType::Functional);
    check_as(&gate, "a", "Bearer old").await;
    clock.advance(30);
    check_as(&gate, "a", "Bearer new").await;
    check_as(&gate, "b", "Bearer b").await;
    registry.put("a", "2", vec![module(Some(Reason::PlatformOff))]);
    ping(&gate).await;
    let mut pinged = registry.reads().split_off(3);
    pinged.sort_by(|one, other| one.org_id.cmp(&other.org_id));
    let credentials: Vec<_> = pinged.iter().map(|read| read.credential.as_deref().unwrap()).collect();
    assert_eq!(credentials, ["Bearer new", "Bearer b"]);
    // The request after it need not wait, and what it gets is new.
    clock.advance(29);
    assert_eq!((check(&gate, "a").await, registry.count()), (off(Reason::PlatformOff), 5));
}

#[tokio::test(start_paused = true)]
async fn a_ping_that_finds_an_expired_credential_makes_no_request_wait() {
    let registry = Registry::of("a", vec![module(None)]);
    let (gate, clock) = registry.gate(ModuleType::Functional);
    check_as(&gate, "a", "Bearer expired").await;
    clock.advance(400);
    registry.refuse_credentials();
    ping(&gate).await;
    registry.fail(None);
    assert_eq!(check_as(&gate, "a", "Bearer good").await, Verdict::Open);
    assert_eq!(registry.reads().last().unwrap().credential.as_deref(), Some("Bearer good"));
}

#[tokio::test]
async fn a_credential_that_was_refused_is_not_kept() {
    let registry = Registry::of("a", vec![module(None)]);
    registry.refuse_credentials();
    let (gate, clock) = registry.gate(ModuleType::Functional);
    assert_eq!(check_as(&gate, "a", "Bearer bad").await, UNKNOWN);
    clock.advance(1);
    check(&gate, "a").await;
    assert_eq!(registry.reads()[1].credential, None);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_registry_holds_a_ping_for_two_seconds_at_most() {
    let registry = Registry::default();
    for n in 0..100 {
        registry.put(&format!("org-{n}"), "1", vec![module(None)]);
    }
    let (gate, _) = registry.gate(ModuleType::Functional);
    for n in 0..100 {
        check(&gate, &format!("org-{n}")).await;
    }
    registry.delay(Duration::from_millis(1_900));
    let before = tokio::time::Instant::now();
    ping(&gate).await;
    assert_eq!(before.elapsed(), Duration::from_secs(2));
    assert_eq!(registry.most_under_way(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_ping_that_has_no_time_for_all_refreshes_the_most_recently_used() {
    let registry = Registry::default();
    let ids: Vec<String> = (0..20).map(|n| format!("org-{n}")).collect();
    for org_id in &ids {
        registry.put(org_id, "1", vec![module(None)]);
    }
    let (gate, _) = registry.gate(ModuleType::Functional);
    // The first one is used again at the end, so that the order is that of uses and not of arrivals.
    for org_id in ids.iter().chain(&ids[..1]) {
        check(&gate, org_id).await;
    }
    let before = registry.count();
    registry.delay(Duration::from_secs(10));
    ping(&gate).await;
    let refreshed: Vec<_> = registry.reads().split_off(before).into_iter().map(|read| read.org_id).collect();
    let newest = ids[..1].iter().chain(ids.iter().rev());
    assert_eq!(refreshed[..8], newest.take(8).cloned().collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_hold_and_a_refresh_run_at_the_same_time() {
    let registry = Registry::of("a", vec![module(None)]);
    let (gate, _) = registry.gate(ModuleType::Functional);
    check(&gate, "a").await;
    registry.delay(Duration::from_millis(80));
    let before = tokio::time::Instant::now();
    ping(&gate).await;
    assert_eq!((before.elapsed(), registry.count()), (Duration::from_millis(100), 2));
}
