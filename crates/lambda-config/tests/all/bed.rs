//! What every test starts from: the function with both logins, a database of its own, and fakes of EventBridge and Lambda.

use std::ops::Deref;

use lambda_config::settings::Settings;
use mgmt_common::aws::AwsSettings;
use mgmt_common::schedule::name::Namespace;
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_testkit::database::{ConnectionMode, REQUEST_LOGIN, TestDatabase};
use mgmt_testkit::droppable_server::DroppableServer;
use mgmt_testkit::eventbridge::{EventBridgeFake, Rule};
use mgmt_testkit::events;
use mgmt_testkit::function::{FunctionBed, FunctionUnderTest};
use mgmt_testkit::gateway::Request;
use mgmt_testkit::lambda_api::LambdaFake;
use module_mgmt_protocol::caller::ClaimNames;
use serde_json::{Value, json};

pub(crate) const WARMING: &str = "/platform/lambda-config/lambda_warming";
pub(crate) const SYNC: &str = "/platform/lambda-config/sync";

pub(crate) struct Bed {
    /// With the request login.
    requests: FunctionBed,
    worker: FunctionUnderTest,
    pub(crate) bus: EventBridgeFake,
    pub(crate) lambda: LambdaFake,
    aws: DroppableServer,
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
        Self::with_urls(database, urls).await
    }

    pub(crate) async fn with_urls(database: TestDatabase, (request, worker): (String, String)) -> Self {
        let (bus, lambda) = (EventBridgeFake::start().await.unwrap(), LambdaFake::start().await.unwrap());
        let aws = DroppableServer::start(bus.router().merge(lambda.router())).await.unwrap();
        let function = |url, role| function(settings(url, role, Some(aws.url())));
        let worker = function(worker, DatabaseRole::Worker);
        let requests = FunctionBed { database, function: function(request, DatabaseRole::Request) };
        Self { requests, worker, bus, lambda, aws }
    }

    /// The same database and fakes behind a new process of the function, as after a crash or in another sandbox.
    pub(crate) fn another_sandbox(&self) -> FunctionUnderTest {
        function(settings(self.database.url(REQUEST_LOGIN), DatabaseRole::Request, Some(self.aws.url())))
    }

    /// Saves a schedule; the whole answer.
    pub(crate) async fn save(&self, value: &Value) -> Value {
        let answer = self.send(&Request::put(WARMING, &json!({ "configValue": value }))).await.expect(200);
        assert_eq!(self.bus.violations(), Vec::<String>::new());
        answer.json()
    }

    /// `sync.status` of the stored schedule, as GET shows it.
    pub(crate) async fn status(&self) -> String {
        let config = self.send(&Request::get(WARMING)).await.expect(200).json();
        config["sync"]["status"].as_str().unwrap().to_owned()
    }

    /// The hourly event, handled with the worker's login.
    pub(crate) async fn reconcile(&self) -> Result<Value, String> {
        self.worker.handle(&events::scheduled("2026-11-02T14:00:00Z", "app-dev-reconcile")).await
    }

    /// Our rules on the bus by name.
    pub(crate) fn rules(&self) -> Vec<(String, Rule)> {
        self.bus.bus().into_iter().filter(|(name, _)| name.starts_with("app.dev.warm.")).collect()
    }
}

pub(crate) fn function(settings: Settings) -> FunctionUnderTest {
    let service = lambda_config::service(settings);
    FunctionUnderTest::new(move |event, context| {
        let service = service.clone();
        async move { service.handle(&event, &context).await }
    })
}

pub(crate) fn settings(url: String, role: DatabaseRole, aws_url: Option<String>) -> Settings {
    Settings {
        database: DatabaseSettings { url, role, ca_pem: None, pool_size: None },
        claim_names: ClaimNames::default(),
        aws: AwsSettings {
            region: "eu-central-1".into(),
            access_key_id: "AKIATEST".into(),
            secret_access_key: "secret".into(),
            session_token: None,
            endpoint_url: aws_url,
        },
        namespace: Namespace::parse("app", "dev").unwrap(),
        warmer_arn: "arn:aws:lambda:eu-central-1:123456789012:function:warmer".into(),
        dead_letter_arn: Some("arn:aws:sqs:eu-central-1:123456789012:dead-ticks".into()),
        function_prefix: String::new(),
        warming_accounts: Vec::new(),
        rule_writes_per_second: 100_000,
    }
}
