//! Reconcile now, or show what a reconcile would do.
#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

use std::time::Instant;

use axum::Json as Answer;
use axum::extract::State;
use mgmt_common::eventbridge::{RuleResult, SyncReport, SyncStatus};
use mgmt_common::rules::{OldTarget, Plan};
use mgmt_common::web::error::Result;
use mgmt_common::web::query::{Sent, query_of};
use mgmt_common::web::signed_in::PlatformAdmin;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use crate::actor::Actor;
use crate::store::leases::RulesStatus;
use crate::sync::{REQUEST_TIME, dry_run, sync};

/// What came of a sync.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncAnswer {
    status: RulesStatus,
    /// Why it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// A guard stopped it, so no later run goes on by itself: a person must look.
    needs_attention: bool,
    rules: Vec<RuleResult>,
    /// Calls to EventBridge that change something.
    writes: u32,
    reads: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    adopted: Vec<OldTarget>,
}

impl From<SyncReport> for SyncAnswer {
    fn from(report: SyncReport) -> Self {
        Self {
            status: if report.status == SyncStatus::Synced { RulesStatus::Synced } else { RulesStatus::Pending },
            reason: Some(report.reasons.join("; ")).filter(|text| !text.is_empty()),
            needs_attention: report.status == SyncStatus::Refused,
            rules: report.rules,
            writes: report.writes,
            reads: report.reads,
            adopted: report.adopted,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SyncQuery {
    /// Answer the plan and change nothing.
    #[serde(default)]
    dry_run: bool,
    /// Take over the rules of the system that this one replaces.
    #[serde(default)]
    adopt_old: bool,
}

/// What a dry run answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DryRunAnswer {
    plan: Plan,
}

/// A sync, or with `dryRun` its plan.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum SyncOrPlan {
    Plan(DryRunAnswer),
    Sync(SyncAnswer),
}

/// Reconciles the rules with the stored schedule now.
#[utoipa::path(post, path = "/platform/lambda-config/sync", params(SyncQuery),
    responses((status = 200, body = SyncOrPlan),
        (status = 409), (status = 503)))]
pub(super) async fn sync_rules(
    PlatformAdmin(caller): PlatformAdmin,
    State(state): Shared,
    query: Sent<SyncQuery>,
) -> Result<Answer<SyncOrPlan>> {
    let query = query_of(query)?;
    if query.dry_run {
        let plan = dry_run(&state, &caller, query.adopt_old).await?;
        return Ok(Answer(SyncOrPlan::Plan(DryRunAnswer { plan })));
    }
    let done = sync(&state, Actor::Caller(&caller), None, query.adopt_old, Instant::now() + REQUEST_TIME).await?;
    Ok(Answer(SyncOrPlan::Sync(done.report.into())))
}
