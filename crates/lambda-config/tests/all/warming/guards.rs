//! Faults, row 26: a desired state that cannot be meant deletes nothing.

use mgmt_testkit::database::ConnectionMode;
use mgmt_testkit::direct_and_through_pgbouncer;
use mgmt_testkit::eventbridge::Rule;
use mgmt_testkit::gateway::Request;
use serde_json::json;

use crate::bed::{Bed, SYNC, WARMING};
use crate::values::office;

/// Spoils what is stored, then asks for every kind of sync: each is an error, and the bus stays as it was.
async fn check(bed: &Bed, spoil: &str, code: &str, words: &str) {
    bed.save(&office()).await;
    let before = bed.bus.bus();
    bed.arrange(spoil).await;
    bed.bus.forget_calls();
    for target in [SYNC.to_owned(), format!("{SYNC}?dryRun=true"), format!("{SYNC}?adoptOld=true")] {
        let answer = bed.send(&Request::post(&target)).await.expect(409);
        assert_eq!(answer.code(), code, "{target}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(words), "{answer:?}");
    }
    let hourly = bed.reconcile().await.expect_err("an hourly run without a schedule fails, so that an alarm rings");
    assert!(hourly.contains(words), "{hourly}");
    assert_eq!((bed.bus.writes(), bed.bus.bus()), (0, before), "{spoil}");
    let stored = bed.look("select status || ': ' || last_error from platform_rule_sync").await;
    assert!(stored.starts_with("pending: ") && stored.contains(words), "{stored}");
}

direct_and_through_pgbouncer!(a_missing_config_row_is_an_error_and_deletes_nothing);
/// Faults, row 26.
async fn a_missing_config_row_is_an_error_and_deletes_nothing(mode: ConnectionMode) {
    let gone = "delete from platform_lambda_config where config_key = 'lambda_warming'";
    check(&Bed::by(mode).await, gone, "config_missing", "no lambda_warming config").await;
}

/// Faults, row 26.
#[tokio::test]
async fn an_unreadable_config_is_an_error_and_deletes_nothing() {
    for value in ["null", "7", r#"{"enabled": true}"#, r#"{"enabled": true, "timezone": "Mars/Phobos"}"#] {
        let spoil = format!("update platform_lambda_config set config_value = '{value}'");
        check(&Bed::new().await, &spoil, "config_unreadable", "cannot be read").await;
    }
}

/// The worker's policy is dropped, as a manual drift would: it then sees no row at all.
/// Faults, row 26.
#[tokio::test]
async fn a_worker_that_sees_no_rows_is_an_error_and_deletes_nothing() {
    let bed = Bed::new().await;
    bed.save(&office()).await;
    let before = bed.bus.bus();
    bed.arrange(r#"drop policy "The worker reads every platform config" on platform_lambda_config"#).await;
    bed.bus.forget_calls();
    assert!(bed.reconcile().await.unwrap_err().contains("no lambda_warming config"));
    assert_eq!((bed.bus.writes(), bed.bus.bus()), (0, before));
    assert_eq!(bed.status().await, "pending", "what cannot be followed does not count as synced");
}

/// The config version is already applied, and still most rules would go: more likely a wrong database than a wish.
/// Faults, row 26.
#[tokio::test]
async fn many_deletions_for_an_applied_version_wait_for_a_person() {
    let bed = Bed::new().await;
    bed.save(&office()).await;
    bed.bus.edit(|bus| {
        for number in 0..12 {
            let rule = Rule::scheduled("cron(0 1 ? * MON *)").with_tag("module-mgmt:owner", "app.dev");
            bus.insert(
                format!("app.dev.warm.{number:016x}"),
                rule.with_target("warmer", "arn:aws:lambda:eu-central-1:123456789012:function:warmer", "{}"),
            );
        }
    });
    let before = bed.bus.bus();
    let answer = bed.send(&Request::post(SYNC)).await.expect(200).json();
    assert_eq!((&answer["status"], &answer["needsAttention"]), (&json!("pending"), &json!(true)), "{answer}");
    assert_eq!(bed.bus.bus(), before);
    assert_eq!(bed.status().await, "pending");
    // An edit may replace every rule.
    let mut edited = office();
    edited["interval_minutes"] = json!(10);
    assert_eq!(bed.save(&edited).await["sync"]["status"], "synced");
    assert!(bed.rules().len() <= 4);
}

/// Faults, row 25.
#[tokio::test]
async fn foreign_rules_are_never_touched() {
    let bed = Bed::new().await;
    let foreign =
        || Rule::scheduled("rate(5 minutes)").with_target("theirs", "arn:aws:lambda:eu-central-1:1:function:x", "{}");
    let managed =
        Rule { managed_by: Some("x.amazonaws.com".into()), ..foreign().with_tag("module-mgmt:owner", "app.dev") };
    let strangers = [
        ("app-dev2-warmer-pattern-1", foreign()),
        ("app.dev2.warm.0123456789abcdef", foreign().with_tag("module-mgmt:owner", "app.dev2")),
        ("app.dev.warm.0123456789abcdef", foreign()),
        ("app.dev.warm.1123456789abcdef", managed),
    ];
    bed.bus.edit(|bus| bus.extend(strangers.clone().map(|(name, rule)| (name.to_owned(), rule))));
    bed.save(&office()).await;
    bed.send(&Request::post(&format!("{SYNC}?adoptOld=true"))).await.expect(200);
    bed.reconcile().await.unwrap();
    for moment in bed.bus.timeline() {
        for (name, rule) in &strangers {
            assert_eq!(moment.bus.get(*name), Some(rule), "{name}");
        }
    }
    assert_eq!(bed.send(&Request::get(WARMING)).await.json()["sync"]["status"], "synced");
}
