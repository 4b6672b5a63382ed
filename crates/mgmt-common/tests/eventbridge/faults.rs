//! Every scripted fault at every call position of one reconcile that creates 3, replaces 2 and deletes 2 rules.

use mgmt_common::eventbridge::SyncStatus;
use mgmt_common::rules::Desired;
use mgmt_testkit::eventbridge::{Fault, Moment, Rule};

use crate::bed::{Bed, desired, for_each, rule};

/// Rules 1 and 2 are replaced (another input), 3 and 4 go, 5, 6 and 7 are new.
pub(crate) fn scenario() -> (Desired, Desired) {
    let before = desired(&[1, 2, 3, 4]);
    let mut after = desired(&[1, 2, 5, 6, 7]);
    for rule in &mut after.rules[..2] {
        rule.target.input = Some(r#"{"source":"module-mgmt.tick","v":2}"#.to_owned());
    }
    (before, after)
}

/// The actions that the scenario takes when nothing goes wrong, in order.
pub(crate) async fn actions_without_faults() -> Vec<String> {
    let (before, after) = scenario();
    let bed = Bed::new().await;
    bed.seed(&before);
    assert_eq!(bed.reconcile(&after).await.status, SyncStatus::Synced);
    assert!(bed.is_as_desired(&after));
    assert_no_gap(&bed.fake.timeline());
    bed.fake.calls().into_iter().map(|call| call.action).collect()
}

/// At each moment either every rule of the old schedule is active or every rule of the new one is.
pub(crate) fn assert_no_gap(timeline: &[Moment]) {
    let (before, after) = scenario();
    let active = |moment: &Moment, desired: &Desired| {
        desired.rules.iter().all(|rule| moment.bus.get(&rule.name).is_some_and(Rule::is_active))
    };
    for moment in timeline {
        assert!(active(moment, &before) || active(moment, &after), "a gap after call {}: {moment:#?}", moment.call);
    }
}

async fn check(fault: Fault, position: usize) {
    let (before, after) = scenario();
    let bed = Bed::new().await;
    bed.seed(&before);
    bed.fake.fail_call(position, fault);
    // The first reconcile meets the fault; three clean ones may follow.
    for run in 0..4 {
        let calls_before = bed.fake.call_count();
        let report = bed.reconcile(&after).await;
        let calls = bed.fake.call_count() - calls_before;
        assert_eq!(calls, (report.reads + report.writes) as usize, "{fault:?} at {position}: counted wrong");
        assert!(calls < 130, "{fault:?} at {position}: {calls} calls in one reconcile");
        bed.assert_strangers_untouched();
        assert_no_gap(&bed.fake.timeline());
        if report.status == SyncStatus::Synced {
            assert!(bed.is_as_desired(&after), "{fault:?} at {position}: synced, but {:#?}", bed.fake.bus());
            assert_eq!(report.reasons, Vec::<String>::new());
            return;
        }
        assert_eq!(report.status, SyncStatus::Pending, "{fault:?} at {position}: {report:#?}");
        assert!(!report.reasons.is_empty(), "{fault:?} at {position}, run {run}: pending without a reason");
    }
    panic!("{fault:?} at {position}: not synced after three clean reconciles");
}

async fn check_everywhere(faults: &[Fault]) {
    let actions = actions_without_faults().await;
    let mut cases = Vec::new();
    for fault in faults {
        let positions = (1..).zip(&actions).filter(|(_, action)| fault.concerns(action));
        cases.extend(positions.map(|(position, _)| (*fault, position)));
    }
    for_each(cases, |(fault, position)| check(fault, position)).await;
}

/// Faults, row 21.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_entry_at_any_call_is_reported_and_repaired() {
    check_everywhere(&[Fault::FailedEntry]).await;
}

/// Faults, row 22.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_call_anywhere_converges() {
    check_everywhere(&[Fault::Throttling, Fault::ConcurrentModification, Fault::Internal]).await;
}

/// Faults, row 22.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_anywhere_converges() {
    check_everywhere(&[Fault::InternalAfterApplying, Fault::LostResponse, Fault::Dropped]).await;
}

/// Faults, row 22.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_hangs_anywhere_converges() {
    check_everywhere(&[Fault::Hang, Fault::HangAfterApplying]).await;
}

/// Faults, row 22.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stale_pages_anywhere_converge() {
    check_everywhere(&[Fault::Stale { writes: 1 }, Fault::Stale { writes: 7 }]).await;
}

/// Faults, row 24.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denied_or_limited_call_anywhere_converges_once_it_is_allowed() {
    check_everywhere(&[Fault::AccessDenied, Fault::LimitExceeded]).await;
}

/// The stale page shows the bus as it was before the previous reconcile deleted what this one wants again.
/// Faults, row 22.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_page_does_not_pass_off_a_deleted_rule_as_present() {
    let reads = 1 + 2 * 3;
    let cases = (1..=reads).flat_map(|position| (1..=4).map(move |writes| (position, writes)));
    for_each(cases.collect(), |(position, writes)| async move {
        let (one, other) = (desired(&[1, 2]), desired(&[1, 3]));
        let bed = Bed::new().await;
        assert_eq!(bed.reconcile(&one).await.status, SyncStatus::Synced);
        assert_eq!(bed.reconcile(&other).await.status, SyncStatus::Synced);
        bed.fake.fail_call(position, Fault::Stale { writes });
        for _ in 0..4 {
            if bed.reconcile(&one).await.status == SyncStatus::Synced {
                assert!(bed.is_as_desired(&one), "stale by {writes} at {position}: {:#?}", bed.fake.bus());
                return;
            }
        }
        panic!("stale by {writes} at {position}: not synced");
    })
    .await;
}

/// Faults, row 22.
#[tokio::test]
async fn an_endless_fault_is_given_up_and_named() {
    for (fault, code) in [
        (Fault::Throttling, "ThrottlingException"),
        (Fault::Internal, "InternalException"),
        (Fault::ConcurrentModification, "ConcurrentModificationException"),
        (Fault::Dropped, "events:PutRule"),
    ] {
        let bed = Bed::new().await;
        bed.fake.fail_always("PutRule", fault);
        let report = bed.reconcile(&desired(&(0..20).collect::<Vec<_>>())).await;
        assert_eq!(report.status, SyncStatus::Pending);
        assert_eq!(report.reasons.len(), 20);
        assert!(report.reasons.iter().all(|reason| reason.contains(code)), "{:?}", report.reasons);
        assert_eq!(bed.fake.count("PutRule"), 20 + 12, "one call per rule and the run's 12 retries");
        assert_eq!(bed.fake.count("PutTargets"), 0);
        assert!(report.rules.iter().any(|one| one.name == rule(0).name));
    }
}
