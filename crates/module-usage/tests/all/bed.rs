//! What every test starts from: the function with both logins and a database of its own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::Context;
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_common::web::serve::Service;
use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase, WORKER_LOGIN};
use mgmt_testkit::gateway::{Answer, Request};
use module_mgmt_protocol::caller::ClaimNames;
use module_usage::settings::Settings;
use serde_json::value::RawValue;
use serde_json::{Value, json};

pub(crate) const BATCH: &str = "/platform/modules/usage";
pub(crate) const ONE: &str = "/platform/modules/module-ai/usage";
pub(crate) const STATS: &str = "/platform/modules/module-ai/usage/stats";

pub(crate) struct Bed {
    pub(crate) database: TestDatabase,
    pub(crate) requests: Service,
    pub(crate) worker: Service,
}

/// How the function reaches its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Direct,
    /// Through PgBouncer in transaction mode.
    Pooled,
}

pub(crate) const WAYS: [Way; 2] = [Way::Direct, Way::Pooled];

impl Bed {
    pub(crate) async fn new() -> Self {
        Self::by(Way::Direct).await
    }

    pub(crate) async fn by(way: Way) -> Self {
        let database = TestDatabase::create().await;
        let url = |login: &str| match way {
            Way::Direct => database.url(login),
            Way::Pooled => database.pooled_url(login),
        };
        let urls = (url(REQUEST_LOGIN), url(WORKER_LOGIN));
        Self::with_urls(database, urls)
    }

    pub(crate) fn with_urls(database: TestDatabase, (request, worker): (String, String)) -> Self {
        let requests = module_usage::service(settings(request, DatabaseRole::Request));
        let worker = module_usage::service(settings(worker, DatabaseRole::Worker));
        Self { database, requests, worker }
    }

    pub(crate) async fn send(&self, request: &Request) -> Answer {
        send(&self.requests, request).await
    }

    /// Sends one batch; the answer's document.
    pub(crate) async fn count(&self, events: &[Value]) -> Value {
        self.send(&Request::post(BATCH).json(&json!({ "events": events }))).await.expect(200).json()
    }

    /// Hands messages to the queue's handler; the whole answer.
    pub(crate) async fn deliver(&self, bodies: &[String]) -> Value {
        deliver(&self.worker, bodies).await.unwrap()
    }

    /// The daily event.
    pub(crate) async fn maintain(&self) -> Result<Value, String> {
        let event = json!({
            "version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events", "account": "123456789012",
            "time": "2026-11-02T03:00:00Z", "region": "eu-central-1", "resources": [], "detail": {},
        });
        handle(&self.worker, &event).await
    }

    /// One statement as superuser, past row-level security.
    pub(crate) async fn arrange(&self, statement: &str) {
        self.database.admin().await.batch_execute(statement).await.unwrap();
    }

    /// One text as superuser.
    pub(crate) async fn look(&self, statement: &str) -> String {
        let row = self.database.admin().await.query_one(statement, &[]).await.unwrap();
        row.get::<_, Option<String>>(0).unwrap_or_default()
    }

    /// Events that are stored, and what the daily figures say; rows that differ from a recount.
    pub(crate) async fn counted(&self) -> (i64, i64, i64) {
        let admin = self.database.admin().await;
        let statement = "select (select count(*) from platform_module_usage),
              (select coalesce(sum(total), 0)::bigint from platform_module_usage_daily),
              (select count(*) from (select distinct (occurred_at at time zone 'UTC')::date as day from platform_module_usage
                 union select usage_date from platform_module_usage_daily) days
               cross join lateral module_mgmt.verify_usage(day))";
        let row = admin.query_one(statement, &[]).await.unwrap();
        (row.get(0), row.get(1), row.get(2))
    }
}

pub(crate) async fn handle(service: &Service, event: &Value) -> Result<Value, String> {
    let event = RawValue::from_string(event.to_string()).unwrap();
    let answer = service.handle(&event, &context()).await.map_err(|error| error.to_string())?;
    Ok(serde_json::from_str(answer.get()).unwrap())
}

/// Messages `m-0`, `m-1` and so on.
pub(crate) async fn deliver(service: &Service, bodies: &[String]) -> Result<Value, String> {
    handle(service, &queue_event(bodies)).await
}

/// As SQS sends it.
/// Source: "Using Lambda with Amazon SQS" in the Lambda developer guide.
pub(crate) fn queue_event(bodies: &[String]) -> Value {
    let record = |(number, body): (usize, &String)| {
        json!({
            "messageId": format!("m-{number}"), "receiptHandle": "AQEB", "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1", "SentTimestamp": now_ms().to_string(), "SenderId": "AIDA",
                "ApproximateFirstReceiveTimestamp": now_ms().to_string(),
            },
            "messageAttributes": {}, "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3", "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:usage", "awsRegion": "eu-central-1",
        })
    };
    json!({ "Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>() })
}

pub(crate) async fn send(service: &Service, request: &Request) -> Answer {
    let event = RawValue::from_string(request.event()).unwrap();
    let answer = service.handle(&event, &context()).await.unwrap();
    Answer::read(request, answer.get())
}

pub(crate) fn settings(url: String, role: DatabaseRole) -> Settings {
    Settings {
        database: DatabaseSettings { url, role, ca_pem: None, pool_size: None },
        claim_names: ClaimNames::default(),
        max_age_days: 35,
        retention_months: 13,
        reject_days: 30,
    }
}

pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

pub(crate) fn context() -> Context {
    let mut context = Context::default();
    context.request_id = "request-1".into();
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(29);
    context.deadline = deadline.as_millis().try_into().unwrap();
    context
}
