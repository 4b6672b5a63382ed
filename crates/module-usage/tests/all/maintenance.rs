//! Partitions, seals, retention, and what a recount finds.

use mgmt_testkit::database::{REQUEST_LOGIN, WORKER_LOGIN};
use serde_json::json;

use crate::bed::Bed;
use crate::values::{event, message};

/// A day that nothing can come for any more: events as they would have been counted then.
async fn old_days(bed: &Bed) {
    bed.arrange(
        "create table public.arranged as select jsonb_agg(jsonb_build_object(
           'event_id', overlay(module_mgmt.usage_id_at(now() - make_interval(days => 36 + n))::text placing '7' from 15 for 1),
           'org_id', 'org-a', 'user_id', 'u' || n % 2, 'module_name', 'module-ai', 'event_type', 'api_call', 'status', 'success',
           'occurred_at', now() - make_interval(days => 36 + n), 'duration_ms', n, 'content_hash', '\\x00000000000000000000000000000000')) as items
         from generate_series(0, 9) n;
         grant select on public.arranged to module_mgmt_worker;
         set role module_mgmt_worker;
         select module_mgmt.record_usage(items) from public.arranged",
    )
    .await;
}

#[tokio::test]
async fn old_days_are_sealed_in_order_and_a_difference_is_repaired_and_told() {
    let bed = Bed::new().await;
    old_days(&bed).await;
    bed.deliver(&[message("org-a", "u", &event(1))]).await;
    assert_eq!(bed.counted().await, (11, 11, 0));
    bed.arrange(
        "update platform_module_usage_daily set total = total + 1, successes = successes + 1
        where usage_date = (now() at time zone 'UTC')::date - 40",
    )
    .await;
    bed.arrange(
        "delete from platform_module_usage_user where scope = (select scope from platform_module_usage_daily
        where usage_date = (now() at time zone 'UTC')::date - 42)",
    )
    .await;
    assert_eq!(bed.counted().await.2, 2);
    let report = bed.maintain().await.unwrap();
    assert_eq!(
        (report["sealed"].as_array().unwrap().len(), &report["repaired"], &report["outOfTime"]),
        (8, &json!(2), &json!(false))
    );
    assert_eq!(bed.counted().await, (11, 11, 0));
    let again = bed.maintain().await.unwrap();
    assert_eq!(
        (&again["sealed"], &again["partitionsMade"], &again["partitionsDropped"]),
        (&json!([]), &json!(0), &json!([]))
    );
}

/// A day of many events takes longer to recount than a statement of the worker's login may take otherwise.
#[tokio::test]
async fn a_day_may_take_as_long_to_seal_as_the_function_has_left() {
    let bed = Bed::new().await;
    old_days(&bed).await;
    let impatient = "?options=-c%20statement_timeout=1000%20-c%20lock_timeout=0";
    let urls = (bed.database.url(REQUEST_LOGIN), format!("{}{impatient}", bed.database.url(WORKER_LOGIN)));
    let bed = Bed::with_urls(bed.into_database(), urls);
    // Somebody holds the first of the days for longer than that.
    let admin = bed.database.admin().await;
    admin
        .batch_execute("begin; select module_mgmt.lock_usage_day(min(usage_date)) from platform_module_usage_daily")
        .await
        .unwrap();
    let release = async {
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
        admin.batch_execute("commit").await.unwrap();
    };
    let (report, ()) = tokio::join!(bed.maintain(), release);
    assert_eq!(report.unwrap()["sealed"].as_array().unwrap().len(), 8);
}

#[tokio::test]
async fn a_day_that_cannot_be_sealed_is_an_error_and_keeps_nothing_else_from_being_done() {
    let bed = Bed::new().await;
    old_days(&bed).await;
    bed.deliver(&["poison".into()]).await;
    bed.arrange("update platform_module_usage_reject set rejected_at = now() - interval '31 days'").await;
    bed.arrange("alter table platform_module_usage_sealed_day add constraint never check (false)").await;
    assert!(bed.maintain().await.is_err());
    assert_eq!(bed.look("select count(*)::text from platform_module_usage_reject").await, "0");
    assert_eq!(bed.look("select count(*)::text from platform_module_usage_sealed_day").await, "0");
}

#[tokio::test]
async fn a_sealed_day_takes_no_event() {
    let bed = Bed::new().await;
    bed.arrange(
        "insert into platform_module_usage_sealed_day (usage_date, events) values ((now() at time zone 'UTC')::date + 1, 0)",
    )
    .await;
    let answer = bed.count(&[event(1)]).await;
    assert_eq!(answer["results"][0]["reason"], "too_old");
    assert_eq!(bed.counted().await, (0, 0, 0));
    assert_eq!(bed.look("select reason from platform_module_usage_reject").await, "too_old");
}

#[tokio::test]
async fn raw_events_past_retention_go_only_when_their_days_are_sealed_and_figures_stay() {
    let bed = Bed::new().await;
    // A partition of two years ago with one event, as if it had been counted then.
    bed.arrange(
        "create table module_mgmt_usage.usage_2024_03 partition of platform_module_usage for values
           from ('018df77c-4000-0000-0000-000000000000') to ('018e9723-2c00-0000-0000-000000000000');
         set role module_mgmt_worker;
         select module_mgmt.record_usage('[{\"event_id\": \"018e1000-0000-7000-8000-000000000001\", \"org_id\": \"org-a\", \"user_id\": \"u\",
           \"module_name\": \"module-ai\", \"event_type\": \"api_call\", \"status\": \"success\", \"occurred_at\": \"2024-03-05T12:00:00Z\",
           \"content_hash\": \"\\\\x00000000000000000000000000000000\"}]'); reset role;
         alter table module_mgmt_usage.usage_2024_03 owner to module_mgmt_definer",
    )
    .await;
    let drop_one = "select module_mgmt.drop_usage_partition(13)";
    assert_eq!(bed.look(drop_one).await, "", "its day is not sealed");
    let report = bed.maintain().await.unwrap();
    assert_eq!(report["partitionsDropped"], json!(["usage_2024_03"]), "{report}");
    assert_eq!(bed.look("select count(*)::text from platform_module_usage").await, "0");
    assert_eq!(bed.look("select total::text from platform_module_usage_daily").await, "1");
    let gone = bed.database.admin().await.query("select * from module_mgmt.verify_usage('2024-03-05')", &[]).await;
    assert!(gone.unwrap_err().as_db_error().unwrap().message().contains("are dropped"));
}

#[tokio::test]
async fn an_event_whose_partition_is_missing_is_kept_and_moves_when_it_is_made() {
    let bed = Bed::new().await;
    bed.arrange("do $$ declare p text; begin
        for p in select relname from pg_class where relnamespace = 'module_mgmt_usage'::regnamespace and relkind = 'r' and relname <> 'usage_other'
        loop execute format('drop table module_mgmt_usage.%I', p); end loop; end $$").await;
    bed.deliver(&[message("org-a", "u", &event(1))]).await;
    bed.deliver(&[message("org-a", "u", &event(1)), message("org-a", "u", &event(2))]).await;
    assert_eq!(bed.look("select count(*)::text from module_mgmt_usage.usage_other").await, "2");
    let made = bed.maintain().await.unwrap()["partitionsMade"].as_i64().unwrap();
    assert!((5..=6).contains(&made), "{made}");
    assert_eq!(bed.look("select count(*)::text from module_mgmt_usage.usage_other").await, "0");
    bed.deliver(&[message("org-a", "u", &event(1)), message("org-a", "u", &event(2))]).await;
    assert_eq!(bed.counted().await, (2, 2, 0));
}

#[tokio::test]
async fn rejects_are_capped_in_number_and_age() {
    let bed = Bed::new().await;
    let poison: Vec<String> = (0..1_500).map(|n| format!("poison {n}")).collect();
    bed.deliver(&poison).await;
    bed.deliver(&poison).await;
    assert_eq!(bed.look("select count(*)::text from platform_module_usage_reject").await, "1000");
    assert_eq!(bed.look("select rejects::text from platform_module_usage_reject_count").await, "3000");
    bed.arrange("update platform_module_usage_reject set rejected_at = now() - interval '31 days' where id <= 10")
        .await;
    assert_eq!(bed.maintain().await.unwrap()["rejectsPruned"], 10);
}

/// As an earlier version locked days: by keys that anybody could take.
/// Faults, row 47.
#[tokio::test]
async fn a_stranger_holds_nothing_that_counting_waits_for() {
    let bed = Bed::new().await;
    let stranger = bed.database.admin().await;
    let keys = "begin; select pg_advisory_xact_lock(1297433671, days) from generate_series(9000, 12000) days";
    stranger.batch_execute(keys).await.unwrap();
    assert_eq!(bed.count(&[event(1)]).await["accepted"], 1);
    bed.maintain().await.unwrap();
}
