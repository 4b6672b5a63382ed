//! Taking over from the old system: its rules go last, and what they carried is kept.

use mgmt_common::eventbridge::{Outcome, SyncStatus};
use mgmt_common::rules::{Action, ActionName, Adoption, Desired, RuleState};
use mgmt_testkit::eventbridge::{Fault, Rule};

use crate::bed::{Bed, desired, soon};

const FUNCTION: &str = "arn:aws:lambda:eu-central-1:123456789012:function:orders";

fn old(number: u32) -> (String, Rule) {
    let rule = Rule::scheduled("cron(0/5 13-20 ? * MON-FRI *)");
    (format!("app-dev-warmer-pattern-{number}"), rule.with_target("1", FUNCTION, &format!(r#"{{"warmer":{number}}}"#)))
}

async fn bed_with_old_rules() -> Bed {
    let bed = Bed::new().await;
    bed.fake.edit(|bus| bus.extend([old(1), old(2)]));
    bed
}

fn adopting() -> Desired {
    Desired { adoption: Adoption::All, ..desired(&[1, 2]) }
}

#[tokio::test]
async fn old_rules_are_listed_and_stay_unless_their_adoption_is_asked_for() {
    let bed = bed_with_old_rules().await;
    let report = bed.reconcile(&desired(&[1, 2])).await;
    assert_eq!(report.status, SyncStatus::Synced);
    let listed =
        report.rules.iter().filter(|rule| rule.action == ActionName::Old && rule.outcome == Outcome::LeftAlone);
    assert_eq!(listed.count(), 2);
    assert_eq!(bed.fake.bus().get(&old(1).0), Some(&old(1).1));
}

#[tokio::test]
async fn old_rules_go_only_after_the_new_ones_are_active_and_their_inputs_are_returned() {
    let bed = bed_with_old_rules().await;
    let plan = bed.manager.dry_run(&adopting(), soon()).await.unwrap();
    assert_eq!(plan.adopted_targets().len(), 2);
    assert_eq!(plan.adopted_targets()[0].input.as_deref(), Some(r#"{"warmer":1}"#));
    let report = bed.reconcile(&adopting()).await;
    assert_eq!(report.status, SyncStatus::Synced, "{report:#?}");
    assert_eq!(report.adopted, plan.adopted_targets());
    assert!(bed.is_as_desired(&adopting()));
    for moment in bed.fake.timeline() {
        let old_active = [old(1), old(2)].iter().all(|(name, _)| moment.bus.get(name).is_some_and(Rule::is_active));
        let new_active = adopting().rules.iter().all(|rule| moment.bus.get(&rule.name).is_some_and(Rule::is_active));
        assert!(old_active || new_active, "a gap after call {}", moment.call);
    }
}

/// The list of rules is eventually consistent: a rule that the first look missed has a payload that nobody stored.
#[tokio::test]
async fn an_old_rule_whose_input_was_not_stored_stays() {
    let bed = bed_with_old_rules().await;
    let plan = bed.manager.dry_run(&adopting(), soon()).await.unwrap();
    let seen = plan.adopted_targets().into_iter().filter(|target| target.rule == old(1).0).collect();
    let report = bed.reconcile(&Desired { adoption: Adoption::Stored(seen), ..adopting() }).await;
    assert_eq!((report.status, report.adopted.len()), (SyncStatus::Pending, 1), "{report:#?}");
    assert!(report.reasons[0].contains("not stored yet"), "{:?}", report.reasons);
    assert_eq!((bed.fake.bus().get(&old(1).0), bed.fake.bus().get(&old(2).0)), (None, Some(&old(2).1)));
}

#[tokio::test]
async fn old_rules_stay_while_a_new_one_fails() {
    for action in ["PutRule", "PutTargets"] {
        let bed = bed_with_old_rules().await;
        bed.fake.fail_action(action, 2, Fault::AccessDenied);
        let report = bed.reconcile(&adopting()).await;
        assert_eq!((report.status, report.adopted.len()), (SyncStatus::Pending, 0));
        assert!([old(1), old(2)].iter().all(|(name, rule)| bed.fake.bus().get(name) == Some(rule)));
    }
}

#[tokio::test]
async fn old_rules_stay_while_no_rule_of_ours_is_enabled() {
    let mut off = adopting();
    for rule in &mut off.rules {
        rule.state = RuleState::Disabled;
    }
    for wanted in [off, Desired { rules: Vec::new(), ..adopting() }] {
        let bed = bed_with_old_rules().await;
        let report = bed.reconcile(&wanted).await;
        assert_eq!(report.status, SyncStatus::Pending);
        assert!(report.reasons.iter().all(|reason| reason.contains("no rule of ours would be enabled")));
        assert!(bed.fake.bus().contains_key(&old(1).0));
    }
}

#[tokio::test]
async fn a_managed_rule_with_an_old_name_is_foreign() {
    let bed = bed_with_old_rules().await;
    let plan = bed.manager.dry_run(&adopting(), soon()).await.unwrap();
    let managed = plan.rules.iter().find(|rule| rule.name == "app-dev-warmer-pattern-77").unwrap();
    assert!(matches!(&managed.action, Action::Foreign { why } if why.contains("securityhub")));
}
