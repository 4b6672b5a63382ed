//! Faults, rows 38 and 39: what SQS is answered, exactly as AWS expects it.

use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase, WORKER_LOGIN};
use mgmt_testkit::events;
use mgmt_testkit::flaky_proxy::{FlakyProxy, Traffic};
use serde_json::{Value, json};

use crate::bed::{Bed, deliver};
use crate::values::{event, message, with};

fn good(number: u64) -> String {
    message("org-a", "u1", &event(number))
}

#[tokio::test]
async fn none_failed_is_an_empty_list() {
    let bed = Bed::new().await;
    let answer = bed.deliver(&[good(1), good(2)]).await;
    assert_eq!(answer.to_string(), r#"{"batchItemFailures":[]}"#);
    assert_eq!(bed.counted().await, (2, 2, 0));
}

/// Faults, row 38.
#[tokio::test]
async fn a_poison_message_among_nine_good_ones_is_kept_and_acknowledged() {
    let long = message("org-a", "u1", &with(event(100), "metadata", "x".repeat(20_000)));
    for (poison, org, reason) in [
        ("not json".into(), "", "malformed"),
        (String::new(), "", "malformed"),
        ("null".into(), "", "malformed"),
        ("{}".into(), "", "malformed"),
        (r#"{"orgId":"a","userId":"u","event":{"eventType":"api_call","eventType":"x"}}"#.into(), "a", "malformed"),
        ("[".repeat(5_000), "", "malformed"),
        (message("", "u1", &event(100)), "", "invalid"),
        (message("a\nb", "u1", &event(100)), "", "invalid"),
        (message("org-a", "u1", &with(event(100), "isAdmin", true)), "org-a", "malformed"),
        (message("org-a", "u1", &with(event(100), "id", "1")), "org-a", "invalid"),
        (message("org-a", "u1", &with(event(100), "moduleName", "module-none")), "org-a", "unknown_module"),
        (message("org-a", "u1", &with(event(100), "occurredAt", "9999-01-01T00:00:00Z")), "org-a", "in_future"),
        (message("org-a", "u1", &with(event(100), "metadata", "\u{0}")), "org-a", "malformed"),
        (long, "org-a", "too_large"),
        (message("org-a", "u1", &json!([])), "org-a", "malformed"),
        (message("org-a", "u1", &Value::Null), "org-a", "malformed"),
        (odd("metadata", r#"{"n":1e400}"#), "org-a", "malformed"),
        (odd("metadata", r#"{"n":1e-16383}"#), "org-a", "malformed"),
        (odd("metadata", r#""\ud800""#), "org-a", "malformed"),
        (odd("metadata", r#"{"\u0000":1}"#), "org-a", "malformed"),
        (odd("metadata", &format!("{}{}", "[".repeat(500), "]".repeat(500))), "org-a", "malformed"),
        (odd("eventAction", r#""\ud800""#), "org-a", "malformed"),
        (odd("durationMs", "1e999"), "org-a", "malformed"),
        (odd("durationMs", "99999999999999999999"), "org-a", "invalid"),
    ] {
        let bed = Bed::new().await;
        let mut messages: Vec<String> = (1..=9).map(good).collect();
        messages.insert(4, poison.clone());
        assert_eq!(bed.deliver(&messages).await.to_string(), r#"{"batchItemFailures":[]}"#, "{poison:.100}");
        assert_eq!(bed.counted().await, (9, 9, 0), "{poison:.100}");
        let kept = "select string_agg(concat_ws('|', org_id, source, reason), ',') from platform_module_usage_reject";
        assert_eq!(bed.look(kept).await, format!("{org}|sqs|{reason}"), "{poison:.100}");
        assert_eq!(bed.look("select sum(rejects)::text from platform_module_usage_reject_count").await, "1");
    }
}

/// A message with a field that serde_json would not write so.
fn odd(field: &str, json: &str) -> String {
    message("org-a", "u1", &with(event(100), field, "PLACE")).replace("\"PLACE\"", json)
}

/// What no check has foreseen hurts itself only, too.
/// Faults, row 38.
#[tokio::test]
async fn a_message_that_the_database_does_not_take_comes_again_alone() {
    let bed = Bed::new().await;
    bed.arrange(
        "create function public.trip() returns trigger language plpgsql as
           $$ begin if new.user_id = 'poison' then raise exception 'not foreseen' using errcode = '22000'; end if; return new; end $$;
         create trigger trip before insert on platform_module_usage for each row execute function public.trip()",
    )
    .await;
    let mut messages: Vec<String> = (1..=9).map(good).collect();
    messages.insert(4, message("org-b", "poison", &event(100)));
    let answer = bed.deliver(&messages).await.to_string();
    assert_eq!(answer, r#"{"batchItemFailures":[{"itemIdentifier":"m-4"}]}"#);
    assert_eq!(bed.counted().await, (9, 9, 0));
}

#[tokio::test]
async fn all_messages_come_again_when_the_database_is_down_and_are_then_counted_once() {
    let database = TestDatabase::create().await;
    let proxy = FlakyProxy::to(&database.url(WORKER_LOGIN)).await;
    let urls = (database.url(REQUEST_LOGIN), proxy.url(&database.url(WORKER_LOGIN)));
    let bed = Bed::with_urls(database, urls);
    proxy.set(Traffic::Cut);
    let messages = [good(1), "poison".into(), good(2)];
    let failed =
        r#"{"batchItemFailures":[{"itemIdentifier":"m-0"},{"itemIdentifier":"m-1"},{"itemIdentifier":"m-2"}]}"#;
    assert_eq!(bed.deliver(&messages).await.to_string(), failed);
    proxy.set(Traffic::LosesCommits);
    assert_eq!(bed.deliver(&messages).await.to_string(), failed);
    proxy.set(Traffic::Passes);
    assert_eq!(bed.deliver(&messages).await.to_string(), r#"{"batchItemFailures":[]}"#);
    // Row 39: the lost commit had counted.
    assert_eq!(bed.counted().await, (2, 2, 0));
}

/// Chunks are transactions: one that fails takes no other along.
#[tokio::test]
async fn some_failed_are_named_and_no_other() {
    let bed = Bed::new().await;
    let messages: Vec<String> = (0..1_500).map(good).collect();
    // The second thousand meets a lock on the row that it adds to, and gives up.
    bed.arrange(
        "create function public.stop() returns trigger language plpgsql as
        $$ begin if new.total > 1000 then raise exception 'full' using errcode = '53100'; end if; return new; end $$;
        create trigger stop before update on platform_module_usage_daily for each row execute function public.stop()",
    )
    .await;
    let answer = bed.deliver(&messages).await;
    let failed: Vec<String> = answer["batchItemFailures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(failed, (1_000..1_500).map(|number| format!("m-{number}")).collect::<Vec<_>>());
    assert_eq!(bed.counted().await, (1_000, 1_000, 0));
}

#[tokio::test]
async fn a_message_without_an_id_is_counted_once_however_often_it_is_delivered() {
    let bed = Bed::new().await;
    let body = message("org-a", "u1", &json!({"eventType": "export", "moduleName": "module-ai", "status": "success"}));
    let event = events::queued(&[body]);
    for _ in 0..3 {
        assert_eq!(bed.worker.handle(&event).await.unwrap(), json!({"batchItemFailures": []}));
    }
    assert_eq!(bed.counted().await, (1, 1, 0));
}

/// Faults, row 36.
#[tokio::test]
async fn a_duplicate_over_http_and_sqs_is_counted_once() {
    let bed = Bed::new().await;
    assert_eq!(bed.count(&[event(1)]).await["accepted"], 1);
    bed.deliver(&[good(1), good(2)]).await;
    assert_eq!(bed.count(&[event(2), event(3)]).await["duplicates"], 1);
    assert_eq!(bed.counted().await, (3, 3, 0));
}

#[tokio::test]
async fn the_request_login_serves_no_queue() {
    let bed = Bed::new().await;
    let answer: Value = deliver(&bed.function, &[good(1)]).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "m-0"}]}));
    assert_eq!(bed.counted().await, (0, 0, 0));
}
