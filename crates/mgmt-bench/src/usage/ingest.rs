//! Batches of 1,000 events: counted exactly once with daily figures and exact users, or copied into the same raw table without any
//! of that. In turns on one connection, so that a slow moment of the machine meets both.

use std::pin::pin;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use mgmt_testkit::database::TestDatabase;
use serde_json::{Value, json};
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{Json, ToSql, Type};
use uuid::Uuid;

use super::connect::connect;
use crate::row::{Row, median};

const BATCH: usize = 1_000;
const ROUNDS: u64 = 60;
/// Rounds before anything is measured: most users of a day have been seen then, as they are at any time but midnight.
const WARM_UP: u64 = 40;

const COLUMNS: [(&str, Type); 15] = [
    ("event_id", Type::UUID),
    ("org_id", Type::TEXT),
    ("user_id", Type::TEXT),
    ("module_name", Type::TEXT),
    ("event_type", Type::TEXT),
    ("source", Type::TEXT),
    ("status", Type::TEXT),
    ("occurred_at", Type::TIMESTAMPTZ),
    ("received_at", Type::TIMESTAMPTZ),
    ("duration_ms", Type::INT4),
    ("content_hash", Type::BYTEA),
    ("event_action", Type::TEXT),
    ("endpoint", Type::TEXT),
    ("http_method", Type::TEXT),
    ("metadata", Type::JSONB),
];

struct Event {
    id: Uuid,
    org: String,
    user: String,
    module: &'static str,
    kind: &'static str,
    status: &'static str,
    at: SystemTime,
    duration: i32,
    hash: Vec<u8>,
    metadata: Json<Value>,
}

/// Five organisations with 200 users each use three modules, now.
fn batch(seed: u64) -> Vec<Event> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut below = move |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let event = |n: usize| {
        let pick = |choices: [&'static str; 4], at: u64| choices[usize::try_from(at).unwrap_or(0)];
        Event {
            id: Uuid::now_v7(),
            org: format!("5f0c{:04}-0000-4000-8000-00000000000{}", 0, below(5)),
            user: format!("7d1e0000-0000-4000-8000-{:012}", below(200)),
            module: pick(["module-ai", "module-access", "module-files", "module-ai"], below(4)),
            kind: pick(["api_call", "api_call", "page_view", "feature_use"], below(4)),
            status: pick(["success", "success", "success", "failure"], below(4)),
            at: SystemTime::now(),
            duration: i32::try_from(below(3_000)).unwrap_or(0),
            hash: Uuid::new_v4().as_bytes().to_vec(),
            metadata: Json(json!({"browser": "firefox", "number": n})),
        }
    };
    (0..BATCH).map(event).collect()
}

pub(super) async fn measure() -> Result<Vec<Row>> {
    let database = TestDatabase::create().await;
    let client = connect(&database.admin_url()).await?;
    let (mut copied, mut counted) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + ROUNDS {
        if round == WARM_UP {
            // As autovacuum has done in any database that is older than a minute.
            client.batch_execute("vacuum analyze").await?;
        }
        let (first, second) = (batch(round * 2), batch(round * 2 + 1));
        let started = Instant::now();
        copy(&client, &first).await?;
        let copying = started.elapsed();
        client.batch_execute("set role module_mgmt_worker").await?;
        let started = Instant::now();
        count(&client, &second).await?;
        let counting = started.elapsed();
        client.batch_execute("reset role").await?;
        if round >= WARM_UP {
            copied.push(milliseconds(copying));
            counted.push(milliseconds(counting));
        }
    }
    let (copied, counted) = (median(copied), median(counted));
    let one = writers(&database, 1).await?;
    let two = writers(&database, 2).await?;
    Ok(vec![
        Row {
            what: "1,000 events counted exactly once / COPY BINARY, one connection".into(),
            measured: format!("{counted:.1} ms / {copied:.1} ms, median of {ROUNDS}"),
            ratio: format!("{:.2} of its speed", copied / counted),
            promise: ">= 0.5 (floor 0.4)",
        },
        Row {
            what: "two writers / one".into(),
            measured: format!("{two:.0}/s / {one:.0}/s"),
            ratio: format!("{:.2}", two / one),
            promise: ">= 1.4",
        },
    ])
}

/// Events per second of some writers at once, each with its own connection.
async fn writers(database: &TestDatabase, count_of: u64) -> Result<f64> {
    let mut tasks = Vec::new();
    for writer in 0..count_of {
        let client = connect(&database.admin_url()).await?;
        client.batch_execute("set role module_mgmt_worker").await?;
        let batches: Vec<_> = (0..ROUNDS).map(|round| batch(1_000_000 * (writer + count_of) + round)).collect();
        tasks.push((client, batches));
    }
    let started = Instant::now();
    let running: Vec<_> = tasks
        .into_iter()
        .map(|(client, batches)| {
            tokio::spawn(async move {
                for batch in &batches {
                    count(&client, batch).await?;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for task in running {
        task.await??;
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate for a table")]
    Ok((count_of * ROUNDS) as f64 * 1_000.0 / started.elapsed().as_secs_f64())
}

async fn copy(client: &Client, events: &[Event]) -> Result<()> {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let types: Vec<Type> = COLUMNS.iter().map(|(_, kind)| kind.clone()).collect();
    let statement = format!("copy public.platform_module_usage ({}) from stdin (format binary)", names.join(", "));
    let mut writer = pin!(BinaryCopyInWriter::new(client.copy_in(&statement).await?, &types));
    for event in events {
        let row: [&(dyn ToSql + Sync); 15] = [
            &event.id,
            &event.org,
            &event.user,
            &event.module,
            &event.kind,
            &"sqs",
            &event.status,
            &event.at,
            &event.at,
            &event.duration,
            &event.hash,
            &"open",
            &"/api/things/list",
            &"GET",
            &event.metadata,
        ];
        writer.as_mut().write(&row).await?;
    }
    writer.finish().await?;
    Ok(())
}

/// As the functions do.
async fn count(client: &Client, events: &[Event]) -> Result<()> {
    let column = |of: fn(&Event) -> &str| -> Vec<&str> { events.iter().map(of).collect() };
    let same = |text: &'static str| -> Vec<&'static str> { vec![text; events.len()] };
    let none: Vec<Option<String>> = vec![None; events.len()];
    let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
    let times: Vec<SystemTime> = events.iter().map(|event| event.at).collect();
    let durations: Vec<i32> = events.iter().map(|event| event.duration).collect();
    let hashes: Vec<&[u8]> = events.iter().map(|event| event.hash.as_slice()).collect();
    let metadata: Vec<&Json<Value>> = events.iter().map(|event| &event.metadata).collect();
    let (orgs, users) = (column(|event| &event.org), column(|event| &event.user));
    let (modules, kinds, statuses) =
        (column(|event| event.module), column(|event| event.kind), column(|event| event.status));
    let (actions, endpoints, methods) = (same("open"), same("/api/things/list"), same("GET"));
    let parameters: [(&(dyn ToSql + Sync), Type); 18] = [
        (&ids, Type::UUID_ARRAY),
        (&orgs, Type::TEXT_ARRAY),
        (&users, Type::TEXT_ARRAY),
        (&modules, Type::TEXT_ARRAY),
        (&kinds, Type::TEXT_ARRAY),
        (&statuses, Type::TEXT_ARRAY),
        (&times, Type::TIMESTAMPTZ_ARRAY),
        (&durations, Type::INT4_ARRAY),
        (&hashes, Type::BYTEA_ARRAY),
        (&actions, Type::TEXT_ARRAY),
        (&endpoints, Type::TEXT_ARRAY),
        (&methods, Type::TEXT_ARRAY),
        (&none, Type::TEXT_ARRAY),
        (&none, Type::TEXT_ARRAY),
        (&metadata, Type::JSONB_ARRAY),
        (&none, Type::TEXT_ARRAY),
        (&none, Type::TEXT_ARRAY),
        (&none, Type::TEXT_ARRAY),
    ];
    let statement = "select module_mgmt.record_usage_columns($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    let rows = client.query_typed(statement, &parameters).await?;
    let outcomes: Vec<String> = rows[0].get(0);
    anyhow::ensure!(outcomes.iter().all(|outcome| outcome == "accepted"), "an event was not counted");
    Ok(())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
