//! What the manager refuses to do, and what it says about it.

use mgmt_common::eventbridge::{Outcome, SyncReport, SyncStatus};
use mgmt_common::rules::{Desired, OWNER_TAG};
use mgmt_testkit::eventbridge::{Fault, Rule};

use crate::bed::{Bed, desired, expected, rule};

fn applied(minutes: &[u32]) -> Desired {
    Desired { applied_version: Some(2), ..desired(minutes) }
}

fn outcome(report: &SyncReport, minute: u32) -> Outcome {
    report.rules.iter().find(|result| result.name == rule(minute).name).unwrap().outcome
}

/// Faults, row 26.
#[tokio::test]
async fn many_deletions_for_an_applied_version_are_refused_and_the_rest_is_done() {
    let bed = Bed::new().await;
    bed.seed(&applied(&[1, 2, 3, 4, 5, 6, 7, 8]));
    let wanted = applied(&[1, 2, 20]);
    let report = bed.reconcile(&wanted).await;
    assert_eq!(report.status, SyncStatus::Refused);
    assert!(report.reasons[0].contains("6 of 8 rules would be deleted"), "{:?}", report.reasons);
    assert_eq!((bed.fake.count("DeleteRule"), bed.fake.count("RemoveTargets")), (0, 0));
    assert_eq!((outcome(&report, 20), outcome(&report, 8)), (Outcome::Done, Outcome::LeftAlone));
    // An edit of the config makes the same deletions legitimate.
    let edited = Desired { config_version: 3, ..wanted };
    assert_eq!(bed.reconcile(&edited).await.status, SyncStatus::Synced);
    assert!(bed.is_as_desired(&edited));
}

/// Faults, row 26.
#[tokio::test]
async fn a_few_deletions_for_an_applied_version_pass() {
    let bed = Bed::new().await;
    bed.seed(&applied(&[1, 2, 3, 4, 5, 6]));
    let wanted = applied(&[1]);
    assert_eq!(bed.reconcile(&wanted).await.status, SyncStatus::Synced);
    assert!(bed.is_as_desired(&wanted));
}

#[tokio::test]
async fn more_than_20_rules_are_refused_before_any_write() {
    let bed = Bed::new().await;
    let report = bed.reconcile(&desired(&(0..21).collect::<Vec<_>>())).await;
    assert_eq!((report.status, bed.fake.writes()), (SyncStatus::Refused, 0));
    assert_eq!(report.reasons, ["21 rules are wanted, but at most 20 are allowed"]);
}

#[tokio::test]
async fn a_wanted_name_that_a_stranger_has_is_a_conflict_and_nothing_goes() {
    for tag in [None, Some("app.prod")] {
        let bed = Bed::new().await;
        bed.seed(&desired(&[1, 2]));
        let mut theirs = Rule::scheduled("rate(1 day)");
        if let Some(owner) = tag {
            theirs = theirs.with_tag(OWNER_TAG, owner);
        }
        bed.fake.edit(|bus| drop(bus.insert(rule(3).name, theirs.clone())));
        let report = bed.reconcile(&desired(&[3, 4])).await;
        assert_eq!(report.status, SyncStatus::Pending);
        assert!(report.reasons.iter().any(|reason| reason.contains("the name is taken")), "{:?}", report.reasons);
        let bus = bed.fake.bus();
        assert_eq!(bus[&rule(3).name], theirs);
        assert!(bus.contains_key(&rule(1).name) && bus.contains_key(&rule(2).name) && bus[&rule(4).name].is_active());
    }
}

/// Faults, row 24.
#[tokio::test]
async fn a_denied_action_is_named_and_the_other_rules_still_sync() {
    for action in ["PutRule", "PutTargets"] {
        let bed = Bed::new().await;
        bed.seed(&desired(&[9]));
        bed.fake.fail_action(action, 2, Fault::AccessDenied);
        let wanted = desired(&[1, 2, 3]);
        let report = bed.reconcile(&wanted).await;
        assert_eq!(report.status, SyncStatus::Pending);
        let failed: Vec<_> = report.rules.iter().filter(|rule| rule.outcome == Outcome::Failed).collect();
        let [failed] = failed.as_slice() else { panic!("{report:#?}") };
        let reason = failed.reason.as_deref().unwrap();
        let arn = format!("arn:aws:events:eu-central-1:123456789012:rule/{}", failed.name);
        for part in [&format!("events:{action} on {}", failed.name), &arn, "AccessDeniedException"] {
            assert!(reason.contains(part), "{reason} lacks {part}");
        }
        assert_eq!(bed.fake.count(action), 3, "no retry, and no rule left out");
        assert_eq!(bed.fake.count("DeleteRule"), 0, "nothing goes while a wanted rule is missing");
        assert!(bed.fake.bus()[&rule(9).name].is_active());
        let active = wanted.rules.iter().filter(|rule| bed.fake.bus().get(&rule.name).is_some_and(Rule::is_active));
        assert_eq!(active.count(), 2);
    }
}

/// Faults, row 24.
#[tokio::test]
async fn a_denied_read_changes_nothing_and_is_named() {
    for action in ["ListRules", "ListTargetsByRule", "ListTagsForResource"] {
        let bed = Bed::new().await;
        bed.seed(&desired(&[1]));
        bed.fake.fail_always(action, Fault::AccessDenied);
        let report = bed.reconcile(&desired(&[2])).await;
        assert_eq!((report.status, bed.fake.writes(), bed.fake.count(action)), (SyncStatus::Pending, 0, 1));
        assert!(report.reasons[0].starts_with(&format!("events:{action} on ")), "{:?}", report.reasons);
    }
}

/// Faults, row 24.
#[tokio::test]
async fn the_301st_rule_is_reported_without_retry_and_nothing_goes() {
    let bed = Bed::new().await;
    bed.seed(&desired(&[1, 2]));
    bed.fake.edit(|bus| {
        for number in bus.len()..299 {
            bus.insert(format!("somebody-elses-{number}"), Rule::scheduled("rate(1 day)"));
        }
    });
    let wanted = desired(&[3, 4]);
    let report = bed.reconcile(&wanted).await;
    assert_eq!((report.status, bed.fake.bus().len()), (SyncStatus::Pending, 300));
    assert!(report.reasons.iter().any(|reason| reason.contains("LimitExceededException")), "{:?}", report.reasons);
    assert_eq!((bed.fake.count("PutRule"), bed.fake.count("DeleteRule")), (2, 0));
    assert!(expected(&desired(&[1, 2])).keys().all(|name| bed.fake.bus()[name].is_active()));
}

#[tokio::test]
async fn nothing_goes_while_reading_the_bus_again_does_not_show_the_new_rules() {
    let bed = Bed::new().await;
    bed.seed(&desired(&[1, 2]));
    bed.fake.fail_always("ListRules", Fault::Stale { writes: 1000 });
    let wanted = desired(&[2, 3]);
    let report = bed.reconcile(&wanted).await;
    assert_eq!((report.status, bed.fake.count("DeleteRule")), (SyncStatus::Pending, 0));
    assert_eq!((outcome(&report, 3), outcome(&report, 1)), (Outcome::Waiting, Outcome::Waiting));
    assert!(report.reasons.iter().all(|reason| reason.contains("does not show them yet")), "{:?}", report.reasons);
    assert_eq!(bed.fake.count("ListRules"), 2 + 3 * 2, "three looks, then it is left to the next run");
    bed.fake.heal();
    assert_eq!(bed.reconcile(&wanted).await.status, SyncStatus::Synced);
    assert!(bed.is_as_desired(&wanted));
}
