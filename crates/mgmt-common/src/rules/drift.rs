//! In what a rule of ours differs from what it should be.

use serde::Serialize;

use super::{ActualRule, ActualTarget, DesiredRule, TARGET_MAX_AGE_SECONDS, TARGET_MAX_RETRIES};

/// One field that is not as it should be, by hand or because the schedule changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct Drift {
    /// For example `state` or `target.input`.
    pub field: &'static str,
    /// `null` where there should be nothing.
    pub expected: Option<String>,
    /// `null` where there is nothing.
    pub found: Option<String>,
}

/// Every difference between the two, and none if the rule is exactly as it should be.
pub(super) fn drift(desired: &DesiredRule, actual: &ActualRule) -> Vec<Drift> {
    let mut drift = Vec::new();
    let mut compare = |field, expected: Option<&str>, found: Option<&str>| {
        if expected != found {
            drift.push(Drift { field, expected: expected.map(str::to_owned), found: found.map(str::to_owned) });
        }
    };
    compare("expression", Some(&desired.expression), actual.expression.as_deref());
    compare("eventPattern", None, actual.event_pattern.as_deref());
    compare("state", Some(desired.state.as_str()), Some(&actual.state));
    compare("description", Some(&desired.description), actual.description.as_deref());
    compare("roleArn", None, actual.role_arn.as_deref());

    let target = &desired.target;
    match actual.targets.iter().find(|found| found.id == target.id) {
        None => compare("target", Some(&target.id), None),
        Some(found) => {
            let number = |value: i32| value.to_string();
            let (age, retries) = (found.max_age_seconds.map(number), found.max_retries.map(number));
            compare("target.arn", Some(&target.arn), Some(&found.arn));
            compare("target.input", target.input.as_deref(), found.input.as_deref());
            compare("target.maxAgeSeconds", Some(&number(TARGET_MAX_AGE_SECONDS)), age.as_deref());
            compare("target.maxRetries", Some(&number(TARGET_MAX_RETRIES)), retries.as_deref());
            compare("target.deadLetterArn", target.dead_letter_arn.as_deref(), found.dead_letter_arn.as_deref());
            compare("target.otherSettings", None, found.has_other_settings.then_some("present"));
        }
    }
    for surplus in surplus_targets(desired, actual) {
        compare("surplusTarget", None, Some(&surplus.id));
    }
    drift
}

/// Targets that somebody hung on a rule of ours.
pub(super) fn surplus_targets<'a>(
    desired: &'a DesiredRule,
    actual: &'a ActualRule,
) -> impl Iterator<Item = &'a ActualTarget> {
    actual.targets.iter().filter(|found| found.id != desired.target.id)
}
