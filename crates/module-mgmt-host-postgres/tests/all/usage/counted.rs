//! What is counted, once, and for whom.

use jiff::Timestamp;
use mgmt_common::db::Database;
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_common::usage::item::{Attribution, BatchItem};
use mgmt_common::usage::judge::Rules;
use mgmt_common::usage::outcome::Outcome;
use mgmt_common::usage_counting::record_one;
use mgmt_testkit::database::{REQUEST_LOGIN, WORKER_LOGIN};
use mgmt_testkit::flaky_proxy::FlakyProxy;
use module_mgmt_host::usage::UsageSink as _;
use module_mgmt_protocol::caller::Caller;

use super::{DAILY, PATIENCE, RAW, answer, handled, look, message, recorder, registered, sink};

#[tokio::test]
async fn a_request_is_one_raw_row_and_one_daily_row_directly_and_through_pgbouncer() {
    for way in ["direct", "pooled"] {
        let database = registered().await;
        let url = if way == "direct" { database.url(REQUEST_LOGIN) } else { database.pooled_url(REQUEST_LOGIN) };
        let recorder = recorder("module-orders", sink(url), PATIENCE);
        assert_eq!(handled(&recorder, "org-a", "auth0|1", &answer()).await, answer());
        assert_eq!(recorder.unsent(), 0, "{way}");
        let raw = "org-a|auth0|1|module-orders|api_call|http|failure|order_not_found|/orders/{id}|GET";
        assert_eq!(look(&database, RAW).await, [raw], "{way}");
        assert_eq!(look(&database, DAILY).await, ["org-a|module-orders|api_call|http|1|0|1|1"], "{way}");
        let durations = "select (raw.duration_ms between 20 and 9999 and raw.duration_ms = daily.duration_sum)::text
            from platform_module_usage raw, platform_module_usage_daily daily";
        assert_eq!(look(&database, durations).await, ["true"], "{way}");
    }
}

#[tokio::test]
async fn a_message_that_is_sent_twice_counts_once_and_its_id_takes_no_other_content() {
    let database = registered().await;
    let sink = sink(database.url(REQUEST_LOGIN));
    let mut message = message("org-a", "auth0|1");
    assert_eq!(sink.send(&message).await, Ok(()));
    assert_eq!(sink.send(&message).await, Ok(()));
    message.event.duration_ms = Some(8);
    assert_eq!(sink.send(&message).await, Err("conflict".to_owned()));
    assert_eq!(look(&database, RAW).await, ["org-a|auth0|1|module-orders|export|http|success"]);
    assert_eq!(look(&database, DAILY).await, ["org-a|module-orders|export|http|1|1|0|1"]);
}

/// Begin with role and claims, states of the modules, count, commit. What a request waits for is this many times the way to the database.
#[tokio::test]
async fn a_record_on_an_open_connection_is_four_round_trips() {
    let database = registered().await;
    let url = database.url(REQUEST_LOGIN);
    let proxy = FlakyProxy::to(&url).await;
    let sink = sink(proxy.url(&url));
    assert_eq!(sink.send(&message("org-a", "u1")).await, Ok(()));
    let before = proxy.round_trips();
    assert_eq!(sink.send(&message("org-a", "u1")).await, Ok(()));
    assert_eq!(proxy.round_trips() - before, 4);
}

/// One connection serves all callers in turn; what it did for one says nothing about the next.
#[tokio::test]
async fn a_use_counts_for_its_own_caller_and_for_nobody_else() {
    let database = registered().await;
    let recorder = recorder("module-orders", sink(database.url(REQUEST_LOGIN)), PATIENCE);
    for (org, user) in [("org-a", "u1"), ("org-b", "u2"), ("org-a", "u3")] {
        handled(&recorder, org, user, &answer()).await;
    }
    let owners = "select org_id || '|' || user_id from platform_module_usage";
    assert_eq!(look(&database, owners).await, ["org-a|u1", "org-a|u3", "org-b|u2"]);

    // Even where the item says otherwise, the database takes organisation and user from the caller of the transaction.
    let caller = Caller::without_rights("u4", "org-c");
    let raw = serde_json::to_string(&message("", "").event).unwrap();
    let mut item = BatchItem::from_caller(&caller, &raw);
    item.attribution = Attribution { org_id: Some("org-a".into()), user_id: Some("u1".into()) };
    let (url, role) = (database.url(REQUEST_LOGIN), DatabaseRole::Request);
    let requests = Database::new(DatabaseSettings { url, role, ca_pem: None, pool_size: None });
    let rules = Rules { now: Timestamp::now(), max_age_days: 35, events_per_minute: None };
    assert_eq!(record_one(&requests, &caller, &item, rules).await.unwrap().outcome, Outcome::Accepted);
    assert_eq!(look(&database, owners).await, ["org-a|u1", "org-a|u3", "org-b|u2", "org-c|u4"]);
}

#[tokio::test]
async fn the_workers_login_counts_for_no_caller() {
    let database = registered().await;
    let recorder = recorder("module-orders", sink(database.url(WORKER_LOGIN)), PATIENCE);
    assert_eq!(handled(&recorder, "org-a", "u1", &answer()).await, answer());
    assert_eq!(recorder.unsent(), 1);
    assert!(look(&database, RAW).await.is_empty());
}
