//! Acknowledged means durable: Postgres is killed with SIGKILL while events are acknowledged, and nothing of them is missing when it
//! is back.

use std::io::Write as _;
use std::time::Duration;

use mgmt_common::settings::DatabaseRole;
use mgmt_common::web::serve::Service;
use mgmt_testkit::database::{REQUEST_LOGIN, WORKER_LOGIN};
use mgmt_testkit::gateway::{Request, Who};
use serde_json::{Value, json};

use crate::bed::{BATCH, deliver, send, settings};
use crate::server::{Server, load_schema};
use crate::values::{event, message};

/// Sends batches until the database is gone; the numbers of the events that were acknowledged.
async fn write(service: Service, over_http: bool, first: u64) -> Vec<u64> {
    let mut acknowledged = Vec::new();
    for batch in 0.. {
        let numbers: Vec<u64> = (0..20).map(|n| first + batch * 20 + n).collect();
        let events: Vec<Value> = numbers.iter().map(|number| event(*number)).collect();
        let done = if over_http {
            let request = Request::post(BATCH).json(&json!({ "events": events })).by(Who::Member);
            send(&service, &request).await.status == 200
        } else {
            let messages: Vec<String> = events.iter().map(|event| message("org-a", "u", event)).collect();
            deliver(&service, &messages).await.unwrap() == json!({"batchItemFailures": []})
        };
        if !done {
            break;
        }
        acknowledged.extend(numbers);
    }
    acknowledged
}

async fn survive(rounds: u64, loud: bool) {
    let mut server = Server::make(None).await;
    load_schema(&server.start().await).await;
    let mut acknowledged: Vec<u64> = Vec::new();
    for round in 0..rounds {
        let writers: Vec<_> =
            [(true, REQUEST_LOGIN, DatabaseRole::Request), (false, WORKER_LOGIN, DatabaseRole::Worker)]
                .into_iter()
                .zip(1_u64..)
                .map(|((over_http, login, role), writer)| {
                    let service = module_usage::service(settings(server.url(login), role));
                    tokio::spawn(write(service, over_http, (round * 2 + writer) * 1_000_000))
                })
                .collect();
        tokio::time::sleep(Duration::from_millis(150 + round * 17 % 100)).await;
        server.kill();
        let before = acknowledged.len();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        let admin = server.start().await;
        let ids: Vec<String> =
            acknowledged.iter().map(|number| event(*number)["id"].as_str().unwrap()[24..].to_owned()).collect();
        let missing = "select count(*) from unnest($1::text[]) sent
            where not exists (select from platform_module_usage where right(event_id::text, 12) = sent)";
        let row = admin.query_one(missing, &[&ids]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), 0, "round {round}: acknowledged and missing");
        let differing = "select count(*) from (select distinct usage_date from platform_module_usage_daily) days
            cross join lateral module_mgmt.verify_usage(usage_date)";
        assert_eq!(admin.query_one(differing, &[]).await.unwrap().get::<_, i64>(0), 0, "round {round}: daily = raw");
        if loud {
            let told = acknowledged.len() - before;
            let _ = writeln!(std::io::stderr(), "round {}: {told} acknowledged and there", round + 1);
        }
    }
    assert!(!acknowledged.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_killed_postgres() {
    survive(2, false).await;
}

/// `scripts/storm` runs it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a minute of work: scripts/storm"]
async fn what_was_acknowledged_survives_twenty_killed_postgreses() {
    survive(20, true).await;
}
