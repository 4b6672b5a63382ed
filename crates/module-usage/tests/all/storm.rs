//! Exactly once, under everything at once: duplicates, shuffled and late events across borders of days and partitions, four writers
//! over HTTP and SQS, backends that are killed, and functions that are killed in the middle of a call.
//!
//! The small storm runs with every test run; `scripts/storm` runs the large one.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use mgmt_common::settings::DatabaseRole;
use mgmt_common::web::serve::Service;
use mgmt_testkit::database::{REQUEST_LOGIN, WORKER_LOGIN};
use mgmt_testkit::gateway::{ORG, Request, Who};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::bed::{BATCH, Bed, context, now_ms, queue_event, settings};
use crate::values::id_at;

/// SplitMix64: the same storm for the same seed.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, usize::try_from(self.below(last as u64 + 1)).unwrap());
        }
    }
}

/// An event of one of 34 days; every tenth says that it happened on another day than its id. Every hundredth is refused.
fn event(number: u64, now: i64) -> Value {
    let mut random = Random(number);
    let hours = i64::try_from(random.below(34 * 24)).unwrap();
    let kind = ["api_call", "page_view", "error"][usize::try_from(random.below(3)).unwrap()];
    let module = ["module-ai", "module-access"][usize::try_from(random.below(2)).unwrap()];
    let status = ["success", "failure", "partial"][usize::try_from(random.below(3)).unwrap()];
    let mut event = json!({
        "id": id_at(number, now - hours * 3_600_000), "moduleName": module, "eventType": kind, "status": status,
        "durationMs": random.below(5_000),
    });
    if number.is_multiple_of(10) {
        let other = now - i64::try_from(random.below(34 * 24)).unwrap() * 3_600_000;
        event["occurredAt"] = json!(jiff::Timestamp::from_millisecond(other).unwrap().to_string());
    }
    if is_refused(number) {
        event["occurredAt"] = json!("2020-01-01T00:00:00Z");
    }
    event
}

fn is_refused(number: u64) -> bool {
    number % 100 == 99
}

struct Storm {
    bed: Bed,
    now: i64,
    /// Items that were answered for, and function kills so far.
    answered: AtomicU64,
    function_kills: AtomicU64,
    wanted_function_kills: u64,
}

impl Storm {
    fn sandbox(&self, role: DatabaseRole) -> Service {
        let login = if role == DatabaseRole::Request { REQUEST_LOGIN } else { WORKER_LOGIN };
        // HTTP through PgBouncer, the queue directly.
        let url = if role == DatabaseRole::Request {
            self.bed.database.pooled_url(login)
        } else {
            self.bed.database.url(login)
        };
        module_usage::service(settings(url, role))
    }

    /// Sends every batch until it is answered, and counts what the answers say.
    async fn write(&self, role: DatabaseRole, numbers: &[u64], seed: u64) -> BTreeMap<String, u64> {
        let (mut service, mut random) = (self.sandbox(role), Random(seed));
        let mut outcomes = BTreeMap::new();
        for chunk in numbers.chunks(500) {
            let events: Vec<Value> = chunk.iter().map(|number| event(*number, self.now)).collect();
            let mut pending: Vec<usize> = (0..events.len()).collect();
            while !pending.is_empty() {
                let sent: Vec<&Value> = pending.iter().map(|index| &events[*index]).collect();
                let payload = payload(role, &sent);
                // A function that is killed: the call ends where it is, its connections with it, and another sandbox goes on.
                let is_killed = self.function_kills.load(Relaxed) < self.wanted_function_kills && random.below(8) == 0;
                let limit = if is_killed { Duration::from_millis(random.below(60)) } else { Duration::from_secs(60) };
                let payload = serde_json::value::RawValue::from_string(payload).unwrap();
                let Ok(answer) = timeout(limit, service.handle(&payload, &context())).await else {
                    self.function_kills.fetch_add(1, Relaxed);
                    service = self.sandbox(role);
                    continue;
                };
                let answer: Value = serde_json::from_str(answer.unwrap().get()).unwrap();
                pending = read_answer(role, &answer, pending, &mut outcomes);
            }
            self.answered.fetch_add(chunk.len() as u64, Relaxed);
        }
        outcomes
    }
}

fn payload(role: DatabaseRole, events: &[&Value]) -> String {
    if role == DatabaseRole::Request {
        return Request::post(BATCH).json(&json!({ "events": events })).by(Who::Member).event();
    }
    let user = Who::Member.claims().unwrap()["sub"].clone();
    let messages: Vec<String> =
        events.iter().map(|event| json!({"orgId": ORG, "userId": user, "event": event}).to_string()).collect();
    queue_event(&messages).to_string()
}

/// What must be sent again.
fn read_answer(
    role: DatabaseRole,
    answer: &Value,
    pending: Vec<usize>,
    outcomes: &mut BTreeMap<String, u64>,
) -> Vec<usize> {
    if role == DatabaseRole::Request {
        if answer["statusCode"] != 200 {
            assert_eq!(answer["statusCode"], 503, "{answer}");
            return pending;
        }
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        for result in body["results"].as_array().unwrap() {
            *outcomes.entry(result["status"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        return Vec::new();
    }
    let failed: Vec<usize> = answer["batchItemFailures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|failure| pending[failure["itemIdentifier"].as_str().unwrap()[2..].parse::<usize>().unwrap()])
        .collect();
    *outcomes.entry("acknowledged".to_owned()).or_default() += (pending.len() - failed.len()) as u64;
    failed
}

async fn storm(distinct: u64, kills: u64, loud: bool) {
    let started = Instant::now();
    let now = i64::try_from(now_ms() / 3_600_000 * 3_600_000).unwrap();
    let storm = Arc::new(Storm {
        bed: Bed::new().await,
        now,
        answered: AtomicU64::new(0),
        function_kills: AtomicU64::new(0),
        wanted_function_kills: kills,
    });
    let mut random = Random(1);
    let mut numbers: Vec<u64> = (0..distinct).collect();
    // 30 % of what is sent was sent before.
    numbers.extend((0..distinct * 3 / 7).map(|_| random.below(distinct)));
    random.shuffle(&mut numbers);
    let sent = numbers.len() as u64;
    let quarter = numbers.len().div_ceil(4);
    let writers: Vec<_> = numbers
        .chunks(quarter)
        .zip(1_u64..)
        .map(|(part, writer)| {
            let role = if writer % 2 == 0 { DatabaseRole::Request } else { DatabaseRole::Worker };
            let (storm, part) = (Arc::clone(&storm), part.to_vec());
            tokio::spawn(async move { (role, part.len() as u64, storm.write(role, &part, writer).await) })
        })
        .collect();
    let killed = kill_backends(&storm, &writers, sent, kills, loud).await;

    let (mut over_http, mut answered, mut acknowledged) = (0, BTreeMap::new(), 0);
    for writer in writers {
        let (role, length, outcomes) = writer.await.unwrap();
        if role == DatabaseRole::Request {
            over_http += length;
            outcomes.into_iter().for_each(|(outcome, count)| *answered.entry(outcome).or_insert(0) += count);
        } else {
            acknowledged += outcomes["acknowledged"];
        }
    }
    let good = (0..distinct).filter(|number| !is_refused(*number)).count();
    let good = i64::try_from(good).unwrap();
    assert_eq!(storm.bed.counted().await, (good, good, 0), "raw = distinct sent, daily = raw");
    // Every item that was sent has one answer: accepted, duplicate or rejected over HTTP, acknowledged over SQS.
    assert_eq!(answered.values().sum::<u64>(), over_http, "{answered:?}");
    assert_eq!(over_http + acknowledged, sent);
    assert_eq!(answered.get("conflict"), None, "{answered:?}");
    let users = storm.bed.look("select max(unique_users)::text from platform_module_usage_daily").await;
    assert_eq!(users, "1");
    assert!(killed >= kills.min(5), "only {killed} backends were killed");
    if loud {
        let functions = storm.function_kills.load(Relaxed);
        let rate = sent as f64 / started.elapsed().as_secs_f64();
        let _ = writeln!(
            std::io::stderr(),
            "\n{distinct} distinct of {sent} sent, {killed} backends and {functions} functions killed, {rate:.0}/s; over HTTP {answered:?}, over SQS {acknowledged}"
        );
    }
}

/// Spreads the kills over the whole storm; how many met a backend.
async fn kill_backends<T>(
    storm: &Storm,
    writers: &[tokio::task::JoinHandle<T>],
    sent: u64,
    kills: u64,
    loud: bool,
) -> u64 {
    let admin = storm.bed.database.admin().await;
    let statement = "select count(*) from (select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and usename like 'module_mgmt_%' order by random() limit 1) killed";
    let (mut killed, mut shown) = (0, Instant::now());
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let answered = storm.answered.load(Relaxed);
        if killed < kills && answered * kills >= killed * sent {
            killed += u64::try_from(admin.query_one(statement, &[]).await.unwrap().get::<_, i64>(0)).unwrap();
        }
        if loud && shown.elapsed() > Duration::from_secs(1) {
            shown = Instant::now();
            let _ = write!(std::io::stderr(), "\r{answered} of {sent} answered, {killed} backends killed");
        }
    }
    killed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_storm_is_counted_exactly() {
    storm(14_000, 20, false).await;
}

/// `scripts/storm`; `STORM_EVENTS` is how many distinct events, 700,000 by default: a million sent.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes of work: scripts/storm"]
#[expect(clippy::disallowed_methods, reason = "the size of a storm is no setting of a function")]
async fn a_large_storm_is_counted_exactly() {
    let events = std::env::var("STORM_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(700_000);
    storm(events, 50, true).await;
}
