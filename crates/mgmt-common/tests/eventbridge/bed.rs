//! What every test here starts from: a fake bus with strangers' rules on it, and a manager that points at it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mgmt_common::aws::{AwsSettings, CallLimits};
use mgmt_common::eventbridge::{EventBridgeManager, Pacing, SyncReport};
use mgmt_common::rules::{Adoption, Desired, DesiredRule, DesiredTarget, OWNER_TAG, RuleState};
use mgmt_common::schedule::name::Namespace;
use mgmt_testkit::eventbridge::{Bus, EventBridgeFake, Rule};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub(crate) const WARMER: &str = "arn:aws:lambda:eu-central-1:123456789012:function:warmer";

pub(crate) struct Bed {
    pub(crate) fake: EventBridgeFake,
    pub(crate) manager: EventBridgeManager,
}

impl Bed {
    /// A bus that holds the strangers only.
    pub(crate) async fn new() -> Self {
        let fake = EventBridgeFake::start().await.unwrap();
        fake.edit(|bus| bus.extend(strangers()));
        let manager = manager(&fake.url(), pacing());
        Self { fake, manager }
    }

    pub(crate) async fn reconcile(&self, desired: &Desired) -> SyncReport {
        let report = self.manager.reconcile(desired, soon()).await;
        assert_eq!(self.fake.violations(), Vec::<String>::new());
        report
    }

    /// Puts rules on the bus as an earlier reconcile would have left them.
    pub(crate) fn seed(&self, desired: &Desired) {
        self.fake.edit(|bus| bus.extend(expected(desired)));
        self.fake.forget_calls();
    }

    /// Whether the bus holds exactly the desired rules and the untouched strangers.
    pub(crate) fn is_as_desired(&self, desired: &Desired) -> bool {
        let mut bus = expected(desired);
        bus.extend(strangers());
        self.fake.bus() == bus
    }

    /// Panics if a stranger's rule was ever changed.
    pub(crate) fn assert_strangers_untouched(&self) {
        for moment in self.fake.timeline() {
            for (name, rule) in strangers() {
                assert_eq!(moment.bus.get(&name), Some(&rule), "after call {}", moment.call);
            }
        }
    }
}

/// Generous: only the tests of the deadline itself give less.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// As in production, but fast.
pub(crate) fn pacing() -> Pacing {
    Pacing {
        writes_per_second: 100_000,
        initial_backoff: Duration::from_millis(1),
        max_backoff: Duration::from_millis(4),
        ..Pacing::default()
    }
}

pub(crate) fn manager(url: &str, pacing: Pacing) -> EventBridgeManager {
    let limits = CallLimits {
        attempt_timeout: Duration::from_millis(700),
        operation_timeout: Duration::from_secs(2),
        ..CallLimits::default()
    };
    EventBridgeManager::new(settings(url), limits, pacing)
}

pub(crate) fn settings(url: &str) -> AwsSettings {
    AwsSettings {
        region: "eu-central-1".to_owned(),
        access_key_id: "AKIATEST".to_owned(),
        secret_access_key: "secret".to_owned(),
        session_token: None,
        endpoint_url: Some(url.to_owned()),
    }
}

pub(crate) fn namespace() -> Namespace {
    Namespace::parse("app", "dev").unwrap()
}

/// One enabled rule per minute given, for config version 2 of which 1 is applied.
pub(crate) fn desired(minutes: &[u32]) -> Desired {
    Desired {
        namespace: namespace(),
        rules: minutes.iter().map(|minute| rule(*minute)).collect(),
        config_version: 2,
        applied_version: Some(1),
        adoption: Adoption::None,
    }
}

pub(crate) fn rule(minute: u32) -> DesiredRule {
    let expression = format!("cron({minute} 9-16 ? * MON-FRI *)");
    DesiredRule {
        name: namespace().rule_name(&expression.parse().unwrap()),
        expression,
        state: RuleState::Enabled,
        description: format!("Warms app in dev at minute {minute}"),
        target: DesiredTarget {
            id: "warmer".to_owned(),
            arn: WARMER.to_owned(),
            input: Some(r#"{"source":"module-mgmt.tick"}"#.to_owned()),
            dead_letter_arn: Some("arn:aws:sqs:eu-central-1:123456789012:dead-ticks".to_owned()),
        },
    }
}

/// The bus as it is when the desired rules are in place.
pub(crate) fn expected(desired: &Desired) -> Bus {
    desired.rules.iter().map(|rule| (rule.name.clone(), on_bus(rule))).collect()
}

pub(crate) fn on_bus(rule: &DesiredRule) -> Rule {
    let mut on_bus = Rule::scheduled(&rule.expression).with_tag(OWNER_TAG, "app.dev");
    rule.state.as_str().clone_into(&mut on_bus.state);
    on_bus.description = Some(rule.description.clone());
    let target = &rule.target;
    let mut body = serde_json::json!({
        "Id": target.id, "Arn": target.arn, "Input": target.input,
        "RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60},
    });
    if let Some(queue) = &target.dead_letter_arn {
        body["DeadLetterConfig"] = serde_json::json!({"Arn": queue});
    }
    on_bus.targets.insert(target.id.clone(), body);
    on_bus
}

/// Rules that look like ours and are not.
pub(crate) fn strangers() -> Bus {
    let stranger = || Rule::scheduled("rate(5 minutes)").with_target("theirs", WARMER, "{}");
    let managed = Rule { managed_by: Some("securityhub.amazonaws.com".to_owned()), ..stranger() };
    Bus::from([
        ("app-dev2-warmer-pattern-1".to_owned(), stranger()),
        ("app.dev2.warm.0123456789abcdef".to_owned(), stranger().with_tag(OWNER_TAG, "app.dev2")),
        ("app.dev.warm.0000000000000000".to_owned(), stranger()),
        ("app.dev.warm.1111111111111111".to_owned(), stranger().with_tag(OWNER_TAG, "app.prod")),
        ("app.dev.warm.2222222222222222".to_owned(), managed.clone().with_tag(OWNER_TAG, "app.dev")),
        ("app.dev.warm.by-hand".to_owned(), stranger().with_tag(OWNER_TAG, "app.dev")),
        ("app-dev-warmer-pattern-77".to_owned(), managed),
    ])
}

/// Runs one check per item, a few at a time: most of a check is waiting for the fake.
pub(crate) async fn for_each<T, F>(items: Vec<T>, check: impl Fn(T) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(12));
    let mut running = JoinSet::new();
    for item in items {
        let place = Arc::clone(&places).acquire_owned().await.unwrap();
        let check = check(item);
        running.spawn(async move {
            check.await;
            drop(place);
        });
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}
