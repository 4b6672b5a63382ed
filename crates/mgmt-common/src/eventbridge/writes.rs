//! What one planned action means in calls. Every write may be repeated: that is what makes a crash anywhere harmless.

use aws_sdk_eventbridge::types::{DeadLetterConfig, RetryPolicy, RuleState as SdkRuleState, Tag, Target};

use super::calls::Calls;
use crate::aws::{AwsError, AwsErrorKind};
use crate::rules::{
    ActualRule, DesiredRule, DesiredTarget, OWNER_TAG, RuleState, TARGET_MAX_AGE_SECONDS, TARGET_MAX_RETRIES,
};

/// `PutRule` with every field, because it replaces every field, then `PutTargets`.
///
/// The tag counts at creation only; AWS ignores it on an update (`PutRule`, "Tags").
pub(super) async fn put(calls: &mut Calls<'_>, rule: &DesiredRule, owner: &str) -> Result<(), AwsError> {
    let request = calls
        .client
        .put_rule()
        .name(&rule.name)
        .schedule_expression(&rule.expression)
        .state(SdkRuleState::from(rule.state.as_str()))
        .description(&rule.description)
        .tags(tag(&rule.name, owner)?);
    calls.write("events:PutRule", &rule.name, || request.clone().send()).await?;
    put_target(calls, &rule.name, &rule.target).await
}

/// Switches a rule of ours off and keeps everything else.
pub(super) async fn disable(calls: &mut Calls<'_>, rule: &ActualRule) -> Result<(), AwsError> {
    let request = calls
        .client
        .put_rule()
        .name(&rule.name)
        .set_schedule_expression(rule.expression.clone())
        .set_event_pattern(rule.event_pattern.clone())
        .state(SdkRuleState::from(RuleState::Disabled.as_str()))
        .set_description(rule.description.clone())
        .set_role_arn(rule.role_arn.clone());
    calls.write("events:PutRule", &rule.name, || request.clone().send()).await.map(drop)
}

/// Takes targets off a rule. A rule that is gone has none, which is what was wanted.
pub(super) async fn remove_targets(calls: &mut Calls<'_>, rule: &str, ids: &[String]) -> Result<(), AwsError> {
    if ids.is_empty() {
        return Ok(());
    }
    let request = calls.client.remove_targets().rule(rule).set_ids(Some(ids.to_vec()));
    let answer = match calls.write("events:RemoveTargets", rule, || request.clone().send()).await {
        Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(()),
        answer => answer?,
    };
    let entry = answer.failed_entries().first();
    let found = entry.map(|entry| (entry.error_code(), entry.error_message()));
    check_entries("events:RemoveTargets", rule, answer.failed_entry_count, found)
}

/// Removes the targets, then the rule: `DeleteRule` is refused while there are targets.
pub(super) async fn delete(calls: &mut Calls<'_>, rule: &str, target_ids: &[String]) -> Result<(), AwsError> {
    remove_targets(calls, rule, target_ids).await?;
    let request = calls.client.delete_rule().name(rule);
    match calls.write("events:DeleteRule", rule, || request.clone().send()).await {
        Err(error) if error.kind == AwsErrorKind::NotFound => Ok(()),
        answer => answer.map(drop),
    }
}

async fn put_target(calls: &mut Calls<'_>, rule: &str, desired: &DesiredTarget) -> Result<(), AwsError> {
    let retry = RetryPolicy::builder()
        .maximum_event_age_in_seconds(TARGET_MAX_AGE_SECONDS)
        .maximum_retry_attempts(TARGET_MAX_RETRIES)
        .build();
    let dead_letters = desired.dead_letter_arn.as_ref().map(|arn| DeadLetterConfig::builder().arn(arn).build());
    let target = Target::builder()
        .id(&desired.id)
        .arn(&desired.arn)
        .set_input(desired.input.clone())
        .retry_policy(retry)
        .set_dead_letter_config(dead_letters)
        .build()
        .map_err(|error| unsendable("events:PutTargets", rule, &error))?;
    let request = calls.client.put_targets().rule(rule).targets(target);
    let answer = calls.write("events:PutTargets", rule, || request.clone().send()).await?;
    let entry = answer.failed_entries().first();
    let found = entry.map(|entry| (entry.error_code(), entry.error_message()));
    check_entries("events:PutTargets", rule, answer.failed_entry_count, found)
}

/// Both target actions answer 200 when entries fail; the count is the only sign.
fn check_entries(
    action: &'static str,
    rule: &str,
    failed: i32,
    entry: Option<(Option<&str>, Option<&str>)>,
) -> Result<(), AwsError> {
    if failed == 0 && entry.is_none() {
        return Ok(());
    }
    let (code, message) = entry.unwrap_or_default();
    Err(AwsError {
        action,
        resource: rule.to_owned(),
        kind: AwsErrorKind::Refused,
        code: code.map(str::to_owned),
        message: format!("{failed} target entries failed: {}", message.unwrap_or("AWS gave no message")),
    })
}

fn tag(rule: &str, owner: &str) -> Result<Tag, AwsError> {
    Tag::builder().key(OWNER_TAG).value(owner).build().map_err(|error| unsendable("events:PutRule", rule, &error))
}

fn unsendable(action: &'static str, rule: &str, error: &dyn std::error::Error) -> AwsError {
    AwsError { action, resource: rule.to_owned(), kind: AwsErrorKind::Refused, code: None, message: error.to_string() }
}
