//! Two managers at once: the hourly reconcile meets a save.

use std::time::{Duration, Instant};

use mgmt_common::eventbridge::{Pacing, SyncStatus};
use mgmt_testkit::eventbridge::Fault;
use tokio::time::sleep;

use crate::bed::{Bed, for_each, manager, pacing, soon};
use crate::faults::{assert_no_gap, scenario};

/// Faults, row 27.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_managers_at_once_end_in_the_same_state() {
    for_each((0..24).collect(), |delay: u64| async move {
        let (before, after) = scenario();
        let bed = Bed::new().await;
        bed.seed(&before);
        let rival = manager(&bed.fake.url(), pacing());
        let late = async {
            sleep(Duration::from_millis(3 * delay)).await;
            rival.reconcile(&after, soon()).await
        };
        let (one, other) = tokio::join!(bed.reconcile(&after), late);
        assert!(bed.is_as_desired(&after), "{delay}: {one:#?} {other:#?}");
        assert_no_gap(&bed.fake.timeline());
        bed.assert_strangers_untouched();
        assert_eq!(bed.reconcile(&after).await.status, SyncStatus::Synced);
    })
    .await;
}

/// The deadline is the fence of a lease: the older run is stuck in a call, its lease ends, a newer config is applied, and then
/// the older run wakes up.
/// Faults, row 27.
#[tokio::test]
async fn an_overtaken_run_cannot_overwrite_the_newer_one() {
    let (before, after) = scenario();
    let bed = Bed::new().await;
    bed.seed(&after);
    bed.fake.fail_action("PutRule", 2, Fault::Hang);
    let stuck = manager(&bed.fake.url(), Pacing { attempts: 4, ..pacing() });
    let lease_end = Instant::now() + Duration::from_millis(300);
    let older = stuck.reconcile(&before, lease_end).await;
    assert_eq!(older.status, SyncStatus::Pending);
    assert_eq!(bed.reconcile(&after).await.status, SyncStatus::Synced);
    assert!(bed.is_as_desired(&after));
    let late = bed.fake.calls().iter().filter(|call| call.at > lease_end && call.answer.is_some()).count();
    assert_eq!(late, 0, "the older run's hanging call was its last");
}
