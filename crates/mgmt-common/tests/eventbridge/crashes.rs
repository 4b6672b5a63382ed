//! The function is killed at any call: Lambda freezes or ends it, and only what AWS applied remains.

use std::time::Duration;

use mgmt_common::eventbridge::{Pacing, SyncStatus};
use mgmt_testkit::eventbridge::Fault;
use tokio::time::sleep;

use crate::bed::{Bed, for_each, manager, pacing, soon};
use crate::faults::{actions_without_faults, assert_no_gap, scenario};

/// Faults, row 23.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_call_is_made_good_by_the_next_run() {
    let calls = actions_without_faults().await.len();
    let cases = (1..=calls).flat_map(|position| [(position, Fault::Hang), (position, Fault::HangAfterApplying)]);
    for_each(cases.collect(), |(position, fault)| check(position, fault)).await;
}

async fn check(position: usize, fault: Fault) {
    let (before, after) = scenario();
    let bed = Bed::new().await;
    bed.seed(&before);
    bed.fake.fail_call(position, fault);
    let doomed = manager(&bed.fake.url(), Pacing { attempts: 1, ..pacing() });
    tokio::select! {
        report = doomed.reconcile(&after, soon()) => panic!("it finished before call {position}: {report:#?}"),
        () = received(&bed, position) => {}
    }
    let report = bed.reconcile(&after).await;
    assert_eq!(report.status, SyncStatus::Synced, "{fault:?} at {position}: {report:#?}");
    assert!(bed.is_as_desired(&after), "{fault:?} at {position}: {:#?}", bed.fake.bus());
    bed.assert_strangers_untouched();
    assert_no_gap(&bed.fake.timeline());
}

async fn received(bed: &Bed, calls: usize) {
    while bed.fake.call_count() < calls {
        sleep(Duration::from_millis(1)).await;
    }
}
