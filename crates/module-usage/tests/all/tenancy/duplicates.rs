//! Faults, row 11: an id tells nothing about another organisation. Neither the answer, nor what an event waits for, nor the work that it
//! makes depends on whether somebody else uses the same id. Work and not time is compared, because time would differ by itself.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use mgmt_testkit::database::{TestDatabase, WORKER_LOGIN};
use mgmt_testkit::gateway::{ORG, Request, Who};
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

use super::batch;
use crate::bed::{Bed, ONE};
use crate::values::{event, message};

/// Events with the ids of [`event`], as the database counts them for an organisation.
fn items(org: &str, numbers: Range<u64>) -> String {
    let item = |number| {
        json!({
            "event_id": event(number)["id"], "org_id": org, "user_id": "u1", "module_name": "module-ai", "event_type": "api_call",
            "status": "success", "occurred_at": jiff::Timestamp::now().to_string(), "content_hash": format!("\\x{}", "00".repeat(16)),
        })
    };
    Value::from_iter(numbers.map(item)).to_string()
}

/// A transaction that has counted events and does not end.
async fn counting(database: &TestDatabase, org: &str, numbers: Range<u64>) -> Client {
    let (client, connection) = tokio_postgres::connect(&database.url(WORKER_LOGIN), NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("begin; select set_config('role', 'module_mgmt_worker', true)").await.unwrap();
    let outcomes = format!("select module_mgmt.record_usage('{}')", items(org, numbers));
    let outcomes: Vec<String> = client.query_one(&outcomes, &[]).await.unwrap().get(0);
    assert!(outcomes.iter().all(|outcome| outcome == "accepted"), "{outcomes:?}");
    client
}

/// Ids of nobody, ids that org-b has stored, and ids that it is storing: 10, 20 and so on, and 10 of each.
async fn with_ids_of_another() -> (Arc<Bed>, Client) {
    let bed = Arc::new(Bed::new().await);
    let stored: Vec<String> = (20..30).map(|number| message("org-b", "u1", &event(number))).collect();
    assert_eq!(bed.deliver(&stored).await, json!({"batchItemFailures": []}));
    let storing = counting(&bed.database, "org-b", 30..40).await;
    (bed, storing)
}

/// Faults, row 11.
#[tokio::test]
async fn an_event_neither_waits_for_nor_learns_of_another_organisation_with_its_id() {
    let (bed, storing) = with_ids_of_another().await;
    let mut answers = Vec::new();
    for first in [10, 20, 30] {
        let one = Request::post(ONE).json(&event(first)).by(Who::Member);
        let many = batch(Who::Member, &event(first + 1));
        let queued = bed.deliver(&[message(ORG, "u1", &event(first + 2))]).await;
        let [one, many] = [bed.send(&one).await.expect(201), bed.send(&many).await.expect(200)];
        let without_id = |answer: &str, number| answer.replace(event(number)["id"].as_str().unwrap(), "");
        answers.push((
            one.headers,
            without_id(&one.body, first),
            many.headers,
            without_id(&many.body, first + 1),
            queued,
        ));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    // It was open all the time.
    storing.batch_execute("commit").await.unwrap();
    assert_eq!(bed.counted().await, (9 + 10 + 10, 9 + 10 + 10, 0));
}

/// The control: with its own organisation's id an event does wait, because only then can it be told whether it is a duplicate.
#[tokio::test]
async fn an_event_waits_for_its_own_organisation_with_its_id() {
    let bed = Arc::new(Bed::new().await);
    let storing = counting(&bed.database, ORG, 1..2).await;
    let sending = Arc::clone(&bed);
    let waiting = tokio::spawn(async move { sending.send(&batch(Who::Member, &event(1))).await });
    let admin = bed.database.admin().await;
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0";
    while admin.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        assert!(!waiting.is_finished(), "it did not wait");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    storing.batch_execute("commit").await.unwrap();
    // The content hash is another one.
    assert_eq!(waiting.await.unwrap().expect(200).json()["conflicts"], 1);
}

/// What one event of our organisation makes the database do; it is rolled back.
async fn work(admin: &Client, number: u64) -> Work {
    admin.batch_execute("begin").await.unwrap();
    let before = counters(admin).await;
    let claims = json!({"sub": "u1", "org_id": ORG}).to_string();
    let role = format!(
        "select set_config('role', 'module_mgmt_request', true), set_config('request.jwt.claims', '{claims}', true)"
    );
    admin.batch_execute(&role).await.unwrap();
    let call = format!(
        "explain (analyze, buffers, timing off, summary off, format json) select module_mgmt.record_usage('{}')",
        items(ORG, number..number + 1)
    );
    let plan: Value = admin.query_one(&call, &[]).await.unwrap().get(0);
    // In the transaction still: between two of them Postgres may start counting anew.
    let after = counters(admin).await;
    admin.batch_execute("rollback").await.unwrap();
    let pages =
        ["Shared Hit Blocks", "Shared Read Blocks"].map(|key| plan[0]["Plan"][key].as_i64().unwrap()).iter().sum();
    Work { pages, counters: after.iter().zip(before).map(|(after, before)| after - before).collect() }
}

#[derive(Debug, Clone, PartialEq)]
struct Work {
    /// Pages that were looked at, in tables and indexes.
    pages: i64,
    /// Of each table and index of usage: scans, entries found, rows fetched, inserted and updated.
    counters: Vec<i64>,
}

async fn counters(admin: &Client) -> Vec<i64> {
    let statement = "select array_agg(counter order by relation.oid, kind) from pg_class relation
        cross join lateral (values (1, pg_stat_get_xact_numscans(oid)), (2, pg_stat_get_xact_tuples_returned(oid)),
          (3, pg_stat_get_xact_tuples_fetched(oid)), (4, pg_stat_get_xact_tuples_inserted(oid)),
          (5, pg_stat_get_xact_tuples_updated(oid))) as counters (kind, counter)
        where relation.relkind in ('r', 'i') and relation.relname ~ 'usage'";
    admin.query_one(statement, &[]).await.unwrap().get(0)
}

/// Faults, row 11.
#[tokio::test]
async fn an_event_makes_the_same_work_whoever_else_has_its_id() {
    let (bed, _storing) = with_ids_of_another().await;
    bed.deliver(&(40..50).map(|number| message(ORG, "u1", &event(number))).collect::<Vec<_>>()).await;
    let admin = bed.database.admin().await;
    // The first calls of a connection fill its caches.
    for number in 0..3 {
        work(&admin, number).await;
    }
    let mut of_kinds: [Vec<Work>; 4] = Default::default();
    for number in 10..20 {
        for (kind, works) in (0..).zip(&mut of_kinds) {
            works.push(work(&admin, number + kind * 10).await);
        }
    }
    // Now and then a call of any kind finds a page that is full, from then on or once; so what most calls do is looked for in each kind.
    let times = |kind: &[Work], work: &Work| kind.iter().filter(|one| *one == work).count();
    let all = of_kinds[..3].concat();
    let usual = all.iter().max_by_key(|work| times(&all, work)).unwrap();
    let [nobody, stored, storing, own] = of_kinds.each_ref().map(|kind| times(kind, usual));
    assert!(nobody >= 3 && stored >= 3 && storing >= 3, "{nobody} {stored} {storing}: {of_kinds:?}");
    assert_eq!(own, 0, "the control: an own duplicate shows");
}
