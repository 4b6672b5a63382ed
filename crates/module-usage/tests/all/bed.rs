//! What every test starts from: the function with both logins and a database of its own.

use std::ops::Deref;

use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_testkit::database::{ConnectionMode, TestDatabase};
use mgmt_testkit::events;
use mgmt_testkit::function::{FunctionBed, FunctionUnderTest};
use mgmt_testkit::gateway::Request;
use module_mgmt_protocol::caller::ClaimNames;
use module_usage::settings::Settings;
use serde_json::{Value, json};

pub(crate) const BATCH: &str = "/platform/modules/usage";
pub(crate) const ONE: &str = "/platform/modules/module-ai/usage";
pub(crate) const STATS: &str = "/platform/modules/module-ai/usage/stats";

pub(crate) struct Bed {
    /// With the request login.
    requests: FunctionBed,
    pub(crate) worker: FunctionUnderTest,
}

impl Deref for Bed {
    type Target = FunctionBed;

    fn deref(&self) -> &FunctionBed {
        &self.requests
    }
}

impl Bed {
    pub(crate) async fn new() -> Self {
        Self::by(ConnectionMode::Direct).await
    }

    pub(crate) async fn by(mode: ConnectionMode) -> Self {
        let database = TestDatabase::create().await;
        let urls = database.urls(mode);
        Self::with_urls(database, urls)
    }

    pub(crate) fn with_urls(database: TestDatabase, (request, worker): (String, String)) -> Self {
        let worker = function(settings(worker, DatabaseRole::Worker));
        let requests = FunctionBed { database, function: function(settings(request, DatabaseRole::Request)) };
        Self { requests, worker }
    }

    /// The database behind other settings.
    pub(crate) fn into_database(self) -> TestDatabase {
        self.requests.database
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
        self.worker.handle(&events::scheduled("2026-11-02T03:00:00Z", "app-dev-maintenance")).await
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

/// Hands it messages `m-0`, `m-1` and so on.
pub(crate) async fn deliver(function: &FunctionUnderTest, bodies: &[String]) -> Result<Value, String> {
    function.handle(&events::queued(bodies)).await
}

pub(crate) fn function(settings: Settings) -> FunctionUnderTest {
    let service = module_usage::service(settings);
    FunctionUnderTest::new(move |event, context| {
        let service = service.clone();
        async move { service.handle(&event, &context).await }
    })
}

pub(crate) fn settings(url: String, role: DatabaseRole) -> Settings {
    Settings {
        database: DatabaseSettings { url, role, ca_pem: None, pool_size: None },
        claim_names: ClaimNames::default(),
        max_age_days: 35,
        retention_months: 13,
        reject_days: 30,
        audit_months: 24,
        events_per_minute: 60_000,
    }
}
