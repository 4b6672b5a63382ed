//! What becomes of requests while the state cannot be read.

use std::time::Duration;

use module_mgmt_host::gate::Verdict;
use module_mgmt_protocol::decision::Reason;
use module_mgmt_protocol::state::{ModuleType, RegistryState};

use crate::bed::{MODULE, Registry, UNKNOWN, check, module, off};

#[tokio::test]
async fn with_no_snapshot_at_all_core_is_open_and_functional_closed() {
    for (declared, expected) in [(ModuleType::Core, Verdict::Open), (ModuleType::Functional, UNKNOWN)] {
        let registry = Registry::default();
        registry.fail(Some("down"));
        let (gate, _) = registry.gate(declared);
        assert_eq!(check(&gate, "a").await, expected);
    }
}

#[tokio::test]
async fn the_last_snapshot_goes_on_for_five_minutes_and_no_longer() {
    for (reason, before) in [(None, Verdict::Open), (Some(Reason::OrgOff), off(Reason::OrgOff))] {
        let registry = Registry::of("a", vec![module(reason)]);
        let (gate, clock) = registry.gate(ModuleType::Functional);
        check(&gate, "a").await;
        registry.fail(Some("down"));
        clock.advance(299);
        assert_eq!(check(&gate, "a").await, before);
        clock.advance(1);
        assert_eq!(check(&gate, "a").await, UNKNOWN);
        // It is not forgotten: when the registry answers again, its version need not travel again.
        registry.fail(None);
        clock.advance(1);
        assert_eq!(check(&gate, "a").await, before);
        assert_eq!(registry.reads().last().unwrap().known_version.as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn what_the_registry_said_about_the_type_outlives_the_snapshot() {
    let mut core = module(Some(Reason::OrgOff));
    core.module_type = ModuleType::Core;
    let registry = Registry::of("a", vec![core]);
    registry.put("b", "1", vec![module(None)]);
    let (gate, clock) = registry.gate(ModuleType::Functional);
    let (also_declared_core, also_clock) = registry.gate(ModuleType::Core);
    check(&gate, "a").await;
    check(&also_declared_core, "b").await;
    registry.fail(Some("down"));
    clock.advance(300);
    also_clock.advance(300);
    assert_eq!(check(&gate, "a").await, Verdict::Open);
    assert_eq!(check(&also_declared_core, "b").await, UNKNOWN);
}

#[tokio::test]
async fn a_dead_endpoint_is_asked_once_a_second_for_each_organisation() {
    let registry = Registry::default();
    registry.fail(Some("down"));
    let (gate, clock) = registry.gate(ModuleType::Functional);
    for _ in 0..3 {
        for _ in 0..100 {
            check(&gate, "a").await;
        }
        check(&gate, "b").await;
        clock.advance(1);
    }
    assert_eq!(registry.count(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_read_holds_a_request_for_two_seconds_at_most() {
    let registry = Registry::of("a", vec![module(None)]);
    registry.delay(Duration::from_secs(3_600));
    let (gate, _) = registry.gate(ModuleType::Functional);
    let before = tokio::time::Instant::now();
    let all = futures_util::future::join_all((0..50).map(|_| check(&gate, "a"))).await;
    assert!(all.iter().all(|verdict| *verdict == UNKNOWN));
    assert_eq!(before.elapsed(), Duration::from_secs(2), "those who waited do not begin to wait again");
    assert_eq!(registry.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_read_serves_all_requests_that_wait_for_it() {
    let registry = Registry::of("a", vec![module(None)]);
    registry.put("b", "1", vec![module(None)]);
    registry.delay(Duration::from_millis(500));
    let (gate, clock) = registry.gate(ModuleType::Functional);
    for expected in [2, 4] {
        let both = (0..100).map(|n| check(&gate, if n % 2 == 0 { "a" } else { "b" }));
        assert!(futures_util::future::join_all(both).await.into_iter().all(Verdict::is_open));
        assert_eq!(registry.count(), expected);
        clock.advance(30);
    }
    assert_eq!(registry.most_under_way(), 2, "organisations do not wait for each other");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_gives_up_leaves_the_turn_to_the_next() {
    let registry = Registry::of("a", vec![module(None)]);
    registry.delay(Duration::from_secs(1));
    let (gate, _) = registry.gate(ModuleType::Functional);
    let given_up = tokio::time::timeout(Duration::from_millis(100), check(&gate, "a")).await;
    assert!(given_up.is_err());
    assert_eq!(check(&gate, "a").await, Verdict::Open);
}

#[tokio::test]
async fn an_answer_about_another_organisation_is_no_answer() {
    let registry = Registry::default();
    let state = RegistryState { version: "1".into(), org_id: "b".into(), modules: vec![module(None)] };
    registry.put_state("a", state);
    let (gate, _) = registry.gate(ModuleType::Functional);
    assert_eq!(check(&gate, "a").await, UNKNOWN);
}

#[tokio::test]
async fn an_answer_that_contradicts_itself_is_no_answer() {
    for (enabled, reason) in [
        (true, Some(Reason::OrgOff)),
        (true, Some(Reason::Unknown)),
        (true, Some(Reason::PermissionMissing)),
        (false, Some(Reason::PermissionMissing)),
    ] {
        let mut odd = module(reason);
        odd.enabled = enabled;
        let (gate, _) = Registry::of("a", vec![odd]).gate(ModuleType::Functional);
        assert_eq!(check(&gate, "a").await, UNKNOWN);
    }
}

/// An unreadable state would leave a core module open.
#[tokio::test]
async fn off_without_a_reason_is_off_for_a_reason_that_is_not_known() {
    for module_type in [ModuleType::Core, ModuleType::Functional] {
        let mut bare = module(None);
        (bare.enabled, bare.module_type) = (false, module_type);
        let (gate, _) = Registry::of("a", vec![bare]).gate(module_type);
        assert_eq!(check(&gate, "a").await, off(Reason::Unknown));
    }
}

#[test]
fn debug_output_shows_neither_credentials_nor_snapshots() {
    let (gate, _) = Registry::of("a", vec![module(None)]).gate(ModuleType::Core);
    let credential = module_mgmt_host::gate::Credential::new("Bearer secret-token");
    let shown = format!("{gate:?} {credential:?}");
    assert!(shown.contains(MODULE) && !shown.contains("secret"), "{shown}");
}
