//! Reads what is on the bus under our two prefixes.

use std::collections::BTreeMap;

use aws_sdk_eventbridge::types::{Rule, Target};

use super::calls::Calls;
use crate::aws::{AwsError, AwsErrorKind};
use crate::rules::{ActualRule, ActualTarget};
use crate::schedule::name::Namespace;

/// `ListRules` for both prefixes, all pages; targets of ours and of old rules; tags of rules whose name is ours.
pub(super) async fn observe(calls: &mut Calls<'_>, namespace: &Namespace) -> Result<Vec<ActualRule>, AwsError> {
    let mut found = list_rules(calls, Some(&namespace.prefix())).await?;
    found.extend(list_rules(calls, Some(&namespace.old_prefix())).await?);
    let mut rules = Vec::with_capacity(found.len());
    for rule in found {
        let mut rule = actual_rule(rule);
        // A rule of AWS's own services, or one with a stranger's name, is left alone whatever hangs on it.
        let is_ours = namespace.owns(&rule.name);
        if rule.managed_by.is_some() || !(is_ours || namespace.old_rule(&rule.name)) {
            rules.push(rule);
            continue;
        }
        match complete(calls, &mut rule, is_ours).await {
            Ok(()) => rules.push(rule),
            // The rule went between the two calls, or the list was out of date.
            Err(error) if error.kind == AwsErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(rules)
}

/// Counts the rules of the whole bus.
pub(super) async fn count_rules(calls: &mut Calls<'_>) -> Result<u32, AwsError> {
    let rules = list_rules(calls, None).await?;
    Ok(u32::try_from(rules.len()).unwrap_or(u32::MAX))
}

async fn complete(calls: &mut Calls<'_>, rule: &mut ActualRule, is_ours: bool) -> Result<(), AwsError> {
    rule.targets = list_targets(calls, &rule.name).await?;
    if is_ours {
        rule.tags = list_tags(calls, rule).await?;
    }
    Ok(())
}

async fn list_rules(calls: &mut Calls<'_>, prefix: Option<&str>) -> Result<Vec<Rule>, AwsError> {
    let mut rules = Vec::new();
    let mut token = None;
    loop {
        let request =
            calls.client.list_rules().set_name_prefix(prefix.map(str::to_owned)).limit(100).set_next_token(token);
        let page =
            calls.read("events:ListRules", prefix.unwrap_or("the default bus"), || request.clone().send()).await?;
        rules.extend(page.rules.unwrap_or_default());
        token = page.next_token;
        if token.is_none() {
            return Ok(rules);
        }
    }
}

async fn list_targets(calls: &mut Calls<'_>, rule: &str) -> Result<Vec<ActualTarget>, AwsError> {
    let mut targets = Vec::new();
    let mut token = None;
    loop {
        let request = calls.client.list_targets_by_rule().rule(rule).set_next_token(token);
        let page = calls.read("events:ListTargetsByRule", rule, || request.clone().send()).await?;
        targets.extend(page.targets.unwrap_or_default().into_iter().map(actual_target));
        token = page.next_token;
        if token.is_none() {
            return Ok(targets);
        }
    }
}

async fn list_tags(calls: &mut Calls<'_>, rule: &ActualRule) -> Result<BTreeMap<String, String>, AwsError> {
    let request = calls.client.list_tags_for_resource().resource_arn(&rule.arn);
    let answer = calls.read("events:ListTagsForResource", &rule.arn, || request.clone().send()).await?;
    Ok(answer.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect())
}

fn actual_rule(rule: Rule) -> ActualRule {
    ActualRule {
        name: rule.name.unwrap_or_default(),
        arn: rule.arn.unwrap_or_default(),
        expression: rule.schedule_expression,
        event_pattern: rule.event_pattern,
        state: rule.state.map(|state| state.as_str().to_owned()).unwrap_or_default(),
        description: rule.description,
        managed_by: rule.managed_by,
        role_arn: rule.role_arn,
        targets: Vec::new(),
        tags: BTreeMap::new(),
    }
}

fn actual_target(target: Target) -> ActualTarget {
    let has_other_settings = target.role_arn.is_some()
        || target.input_path.is_some()
        || target.input_transformer.is_some()
        || target.kinesis_parameters.is_some()
        || target.run_command_parameters.is_some()
        || target.ecs_parameters.is_some()
        || target.batch_parameters.is_some()
        || target.sqs_parameters.is_some()
        || target.http_parameters.is_some()
        || target.redshift_data_parameters.is_some()
        || target.sage_maker_pipeline_parameters.is_some()
        || target.app_sync_parameters.is_some();
    let retry = target.retry_policy;
    ActualTarget {
        id: target.id,
        arn: target.arn,
        input: target.input,
        max_age_seconds: retry.as_ref().and_then(|policy| policy.maximum_event_age_in_seconds),
        max_retries: retry.as_ref().and_then(|policy| policy.maximum_retry_attempts),
        dead_letter_arn: target.dead_letter_config.and_then(|config| config.arn),
        has_other_settings,
    }
}
