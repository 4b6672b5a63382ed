//! What every test starts from: the function with both logins, a database of its own, and fakes of EventBridge and Lambda.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_config::settings::Settings;
use lambda_runtime::Context;
use mgmt_common::aws::AwsSettings;
use mgmt_common::schedule::name::Namespace;
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_common::web::serve::Service;
use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase, WORKER_LOGIN};
use mgmt_testkit::eventbridge::{EventBridgeFake, Rule};
use mgmt_testkit::lambda_api::LambdaFake;
use mgmt_testkit::severable::Server;
use module_mgmt_protocol::caller::ClaimNames;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use mgmt_testkit::gateway::{Answer, Request};

pub(crate) const WARMING: &str = "/platform/lambda-config/lambda_warming";
pub(crate) const SYNC: &str = "/platform/lambda-config/sync";

pub(crate) struct Bed {
    pub(crate) database: TestDatabase,
    pub(crate) bus: EventBridgeFake,
    pub(crate) lambda: LambdaFake,
    requests: Service,
    worker: Service,
    _aws: Server,
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
        Self::with_urls(database, urls).await
    }

    pub(crate) async fn with_urls(database: TestDatabase, (request, worker): (String, String)) -> Self {
        let (bus, lambda) = (EventBridgeFake::start().await.unwrap(), LambdaFake::start().await.unwrap());
        let aws = Server::start(bus.router().merge(lambda.router())).await.unwrap();
        let service = |url: String, role| lambda_config::service(settings(url, role, Some(aws.url())));
        let requests = service(request, DatabaseRole::Request);
        let worker = service(worker, DatabaseRole::Worker);
        Self { database, bus, lambda, requests, worker, _aws: aws }
    }

    /// The same database and fakes behind a new process of the function, as after a crash or in another sandbox.
    pub(crate) fn another_sandbox(&self) -> Service {
        lambda_config::service(settings(self.database.url(REQUEST_LOGIN), DatabaseRole::Request, Some(self._aws.url())))
    }

    pub(crate) async fn send(&self, request: &Request) -> Answer {
        send(&self.requests, request).await
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
        let event = json!({
            "version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events",
            "account": "123456789012", "time": "2026-11-02T14:00:00Z", "region": "eu-central-1",
            "resources": ["arn:aws:events:eu-central-1:123456789012:rule/app-dev-reconcile"], "detail": {},
        });
        let event = RawValue::from_string(event.to_string()).unwrap();
        let answer = self.worker.handle(&event, &context()).await.map_err(|error| error.to_string())?;
        Ok(serde_json::from_str(answer.get()).unwrap())
    }

    /// Our rules on the bus by name.
    pub(crate) fn rules(&self) -> Vec<(String, Rule)> {
        self.bus.bus().into_iter().filter(|(name, _)| name.starts_with("app.dev.warm.")).collect()
    }

    /// One statement as superuser, past row-level security.
    pub(crate) async fn arrange(&self, statement: &str) {
        self.database.admin().await.batch_execute(statement).await.unwrap();
    }

    /// One text as superuser.
    pub(crate) async fn look(&self, statement: &str) -> String {
        self.database.admin().await.query_one(statement, &[]).await.unwrap().get(0)
    }
}

pub(crate) async fn send(service: &Service, request: &Request) -> Answer {
    let event = RawValue::from_string(request.event()).unwrap();
    let answer = service.handle(&event, &context()).await.unwrap();
    Answer::read(request, answer.get())
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
        rule_writes_per_second: 100_000,
    }
}

fn context() -> Context {
    let mut context = Context::default();
    context.request_id = "request-1".into();
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(29);
    context.deadline = deadline.as_millis().try_into().unwrap();
    context
}
