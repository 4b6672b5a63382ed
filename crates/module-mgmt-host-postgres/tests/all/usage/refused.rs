//! What is not counted: kept with its reason where a caller can be named, and no matter of the request's answer.

use mgmt_testkit::database::REQUEST_LOGIN;
use module_mgmt_host::usage::{UsageSink as _, UsageSpan, UseOutcome};
use module_mgmt_protocol::usage::EventType;

use super::{DAILY, PATIENCE, RAW, REJECTS, answer, handled, look, message, recorder, registered, sink};

#[tokio::test]
async fn a_use_of_a_module_that_is_off_or_unknown_is_kept_and_counted_as_unsent() {
    let database = registered().await;
    let others =
        "insert into platform_module_registry (module_name, display_name, is_enabled, is_installed, dependencies)
        values ('module-gone', 'Gone', true, false, '{}'), ('module-shut', 'Shut', true, true, '{}'),
          ('module-over', 'Over', true, true, '{module-shut}');
      insert into platform_module_override (org_id, module_name, is_enabled) values ('org-a', 'module-shut', false)";
    database.admin().await.batch_execute(others).await.unwrap();
    let mut kept = Vec::new();
    for (module, reason, detail) in [
        ("module-off", "platform_off", "the module was disabled before this happened"),
        ("module-none", "unknown_module", "no such module is registered"),
        ("module-gone", "not_installed", "the module is not installed"),
        ("module-shut", "org_off", "the organisation had switched the module off when this happened"),
        ("module-over", "dependency_off", "a module that this one needs was off when this happened"),
    ] {
        let recorder = recorder(module, sink(database.url(REQUEST_LOGIN)), PATIENCE);
        assert_eq!(handled(&recorder, "org-a", "u1", &answer()).await, answer(), "{module}");
        assert_eq!(recorder.unsent(), 1, "{module}");
        kept.push(format!("org-a|u1|http|{reason}|/moduleName {detail}"));
        kept.sort_unstable();
        assert_eq!(look(&database, REJECTS).await, kept);
    }
    let counts = "select concat_ws('|', org_id, source, rejects) from platform_module_usage_reject_count";
    assert_eq!(look(&database, counts).await, ["org-a|http|1"; 5]);
    assert_eq!((look(&database, RAW).await, look(&database, DAILY).await), (Vec::new(), Vec::new()));
}

/// The same check as for events over HTTP.
#[tokio::test]
async fn a_record_that_the_control_plane_would_not_take_is_refused_as_there() {
    let database = registered().await;
    let recorder = recorder("module-orders", sink(database.url(REQUEST_LOGIN)), PATIENCE);
    let mut with_nul = UsageSpan::begin(EventType::ApiCall);
    with_nul.endpoint = Some("/a\0".into());
    recorder.record("org-a", "u1", with_nul, UseOutcome::Success).await;
    assert_eq!(recorder.unsent(), 1);
    let reasons = "select concat_ws('|', org_id, user_id, source, reason) from platform_module_usage_reject";
    assert_eq!(look(&database, reasons).await, ["org-a|u1|http|malformed"]);
    assert!(look(&database, RAW).await.is_empty());
}

#[tokio::test]
async fn a_sink_tells_why() {
    let database = registered().await;
    let sink = sink(database.url(REQUEST_LOGIN));
    let mut off = message("org-a", "u1");
    off.event.module_name = Some("module-off".into());
    let words = "platform_off: /moduleName the module was disabled before this happened";
    assert_eq!(sink.send(&off).await, Err(words.to_owned()));
    for (org, user) in [("", "u1"), ("org-a", " "), ("a\nb", "u1"), ("org-a", &"u".repeat(201))] {
        let words = "no organisation or user can have this id";
        assert_eq!(sink.send(&message(org, user)).await, Err(words.to_owned()), "{org:?} {user:?}");
    }
    assert_eq!((look(&database, RAW).await.len(), look(&database, REJECTS).await.len()), (0, 1));
}
