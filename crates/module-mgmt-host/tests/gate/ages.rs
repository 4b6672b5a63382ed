//! How old a snapshot may be, and what a renewal costs.

use std::time::Duration;

use module_mgmt_host::gate::{GateLimits, Verdict};
use module_mgmt_protocol::decision::{Permissions, Reason};
use module_mgmt_protocol::state::ModuleType;

use crate::bed::{Registry, check, module, off};

#[tokio::test]
async fn a_snapshot_answers_for_thirty_seconds_and_a_change_is_seen_then() {
    let registry = Registry::of("a", vec![module(None)]);
    let (gate, clock) = registry.gate(ModuleType::Functional);
    assert_eq!(check(&gate, "a").await, Verdict::Open);
    registry.put("a", "2", vec![module(Some(Reason::PlatformOff))]);
    clock.advance(29);
    assert_eq!((check(&gate, "a").await, registry.count()), (Verdict::Open, 1));
    clock.advance(1);
    assert_eq!((check(&gate, "a").await, registry.count()), (off(Reason::PlatformOff), 2));
}

#[tokio::test]
async fn an_unchanged_registry_renews_the_snapshot_by_its_version() {
    let registry = Registry::of("a", vec![module(None)]);
    let (gate, clock) = registry.gate(ModuleType::Functional);
    for _ in 0..5 {
        assert_eq!(check(&gate, "a").await, Verdict::Open);
        assert_eq!(check(&gate, "a").await, Verdict::Open);
        clock.advance(30);
    }
    let versions: Vec<_> = registry.reads().into_iter().map(|read| read.known_version).collect();
    let known = Some("1".to_owned());
    assert_eq!(versions, [None, known.clone(), known.clone(), known.clone(), known]);
}

#[tokio::test]
async fn a_thawed_sandbox_knows_how_long_it_was_frozen() {
    let registry = Registry::of("a", vec![module(None)]);
    let (gate, clock) = registry.gate(ModuleType::Functional);
    check(&gate, "a").await;
    clock.freeze(31);
    check(&gate, "a").await;
    assert_eq!(registry.count(), 2);
}

#[tokio::test]
async fn a_wall_clock_that_is_set_back_makes_no_snapshot_younger() {
    let registry = Registry::of("a", vec![module(None)]);
    let (gate, clock) = registry.gate(ModuleType::Functional);
    check(&gate, "a").await;
    clock.advance(20);
    clock.set_back(3_600);
    check(&gate, "a").await;
    assert_eq!(registry.count(), 1, "20 seconds are not 30, whatever the wall clock says");
    clock.advance(10);
    check(&gate, "a").await;
    assert_eq!(registry.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_age_counts_from_the_beginning_of_the_read() {
    let registry = Registry::of("a", vec![module(None)]);
    let (gate, clock) = registry.gate(ModuleType::Functional);
    registry.delay(Duration::from_millis(1_500));
    let moved = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        clock.advance(29);
    };
    tokio::join!(check(&gate, "a"), moved);
    clock.advance(1);
    check(&gate, "a").await;
    assert_eq!(registry.count(), 2);
}

#[tokio::test]
async fn no_setting_makes_a_snapshot_answer_for_longer() {
    let registry = Registry::of("a", vec![module(None)]);
    let limits = GateLimits { max_age: Duration::from_secs(3_600), ..GateLimits::default() };
    let (gate, clock) = registry.gate_with(ModuleType::Functional, limits);
    check(&gate, "a").await;
    clock.advance(30);
    check(&gate, "a").await;
    assert_eq!(registry.count(), 2);
}

#[tokio::test]
async fn every_reason_arrives_and_permissions_are_the_callers() {
    let reasons =
        [Reason::PlatformOff, Reason::NotInstalled, Reason::DependencyOff, Reason::OrgOff, Reason::PermissionMissing];
    for reason in &reasons[..4] {
        let (gate, _) = Registry::of("a", vec![module(Some(*reason))]).gate(ModuleType::Core);
        assert_eq!(gate.check("a", &Permissions::All).await, off(*reason));
    }
    let mut needing = module(None);
    needing.required_permissions = vec!["orders.read".into()];
    let (gate, _) = Registry::of("a", vec![needing]).gate(ModuleType::Core);
    assert_eq!(gate.check("a", &Permissions::Claim("orders.read")).await, Verdict::Open);
    assert_eq!(gate.check("a", &Permissions::Claim("orders.reader")).await, off(reasons[4]));
    assert_eq!(gate.check("a", &Permissions::All).await, Verdict::Open);
}

#[tokio::test]
async fn a_module_that_is_not_registered_is_not_installed() {
    let (gate, _) = Registry::of("a", vec![]).gate(ModuleType::Core);
    assert_eq!(check(&gate, "a").await, off(Reason::NotInstalled));
}

#[tokio::test]
async fn organisations_never_answer_for_each_other() {
    let registry = Registry::of("a", vec![module(None)]);
    registry.put("b", "1", vec![module(Some(Reason::OrgOff))]);
    let (gate, clock) = registry.gate(ModuleType::Functional);
    for _ in 0..3 {
        assert_eq!(check(&gate, "a").await, Verdict::Open);
        assert_eq!(check(&gate, "b").await, off(Reason::OrgOff));
        assert_eq!(check(&gate, "c").await, crate::bed::UNKNOWN);
        clock.advance(30);
    }
}

#[tokio::test]
async fn the_least_recently_used_organisation_leaves() {
    let registry = Registry::default();
    for org_id in ["a", "b", "c"] {
        registry.put(org_id, "1", vec![module(None)]);
    }
    let limits = GateLimits { organisations: 2, ..GateLimits::default() };
    let (gate, _) = registry.gate_with(ModuleType::Functional, limits);
    for org_id in ["a", "b", "a", "c", "a", "b"] {
        assert_eq!(check(&gate, org_id).await, Verdict::Open);
    }
    let read: Vec<_> = registry.reads().into_iter().map(|read| read.org_id).collect();
    assert_eq!(read, ["a", "b", "c", "b"], "a was used again and stayed");
}

#[tokio::test]
async fn a_gate_that_may_remember_nothing_remembers_one_organisation() {
    let registry = Registry::of("a", vec![module(None)]);
    let limits = GateLimits { organisations: 0, ..GateLimits::default() };
    let (gate, _) = registry.gate_with(ModuleType::Functional, limits);
    for _ in 0..3 {
        assert_eq!(check(&gate, "a").await, Verdict::Open);
    }
    assert_eq!(registry.count(), 1);
}
