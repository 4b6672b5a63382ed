//! The EventBridge manager: reads the rules of one namespace from the default bus and brings them to the desired state.
//! The only user of `aws-sdk-eventbridge`.
//!
//! Its promises: an unchanged schedule is zero writes; new rules stand and are confirmed by a second look before an old one
//! goes; a rule that is not ours is never written to; whatever is not confirmed is reported as pending, with the reason.

mod apply;
mod calls;
mod observe;
mod pacing;
mod report;
mod writes;

use std::sync::OnceLock;
use std::time::Instant;

use aws_sdk_eventbridge::Client;
use aws_smithy_types::retry::RetryConfig;

pub use pacing::Pacing;
pub use report::{Outcome, RuleResult, SyncReport, SyncStatus};

use crate::aws::{AwsError, AwsSettings, CallLimits, sdk_config};
use crate::rules::{ActualRule, Desired, Plan, PlanError, plan};
use crate::schedule::name::Namespace;
use calls::Calls;

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// Lists rules and applies plans. The SDK client is built with the first call.
#[derive(Debug)]
pub struct EventBridgeManager {
    aws: AwsSettings,
    limits: CallLimits,
    pacing: Pacing,
    client: OnceLock<Client>,
}

impl EventBridgeManager {
    /// Of `limits`, the timeouts count; attempts and waits are those of `pacing`, because the SDK's own retries know neither
    /// `ConcurrentModificationException` nor our pace and deadline.
    pub fn new(aws: AwsSettings, limits: CallLimits, pacing: Pacing) -> Self {
        Self { aws, limits, pacing, client: OnceLock::new() }
    }

    /// The rules under our prefix and the old system's, with targets, and with tags where the name is ours.
    ///
    /// # Errors
    /// The first call that failed for good; a partial answer is never given.
    pub async fn observe(&self, namespace: &Namespace, deadline: Instant) -> Result<Vec<ActualRule>, AwsError> {
        observe::observe(&mut self.calls(deadline), namespace).await
    }

    /// How many rules the default bus holds, everybody's; its quota is shared.
    ///
    /// # Errors
    /// `events:ListRules` failed for good on one of the pages.
    pub async fn count_rules(&self, deadline: Instant) -> Result<u32, AwsError> {
        observe::count_rules(&mut self.calls(deadline)).await
    }

    /// What [`EventBridgeManager::reconcile`] would do now. Reads only.
    ///
    /// # Errors
    /// The bus cannot be read, or the desired state breaks its own rules.
    pub async fn dry_run(&self, desired: &Desired, deadline: Instant) -> Result<Plan, ObserveError> {
        let actual = self.observe(&desired.namespace, deadline).await?;
        Ok(plan(desired, &actual)?)
    }

    /// Brings the bus to the desired state, as far as it goes without risk, and tells what came of each rule.
    ///
    /// No call starts after the deadline. Under a lease the deadline is the fence: let it lie one attempt timeout before the
    /// lease ends, and a reconcile that was overtaken can no longer write. Whatever was left undone, the next run does.
    pub async fn reconcile(&self, desired: &Desired, deadline: Instant) -> SyncReport {
        let mut calls = self.calls(deadline);
        let planned = match observe::observe(&mut calls, &desired.namespace).await {
            Ok(actual) => plan(desired, &actual),
            Err(error) => return SyncReport::unobserved(&error, &calls),
        };
        match planned {
            Ok(plan) => apply::apply(&mut calls, desired, &plan).await,
            Err(error) => SyncReport::refused(&error, &calls),
        }
    }

    /// Applies a plan that was made, and perhaps shown to a person, before. Deletions are decided anew from what the bus
    /// holds after the other changes.
    pub async fn apply(&self, desired: &Desired, plan: &Plan, deadline: Instant) -> SyncReport {
        apply::apply(&mut self.calls(deadline), desired, plan).await
    }

    fn calls(&self, deadline: Instant) -> Calls<'_> {
        Calls::new(self.client(), &self.pacing, deadline)
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            let shared = sdk_config(&self.aws, &self.limits);
            let config = aws_sdk_eventbridge::config::Builder::from(&shared).retry_config(RetryConfig::disabled());
            Client::from_conf(config.build())
        })
    }
}
