//! A warmer with its database and Lambda, driven by events as EventBridge sends them.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lambda_warmer::settings::Settings;
use mgmt_common::aws::AwsSettings;
use mgmt_common::schedule::name::Namespace;
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_common::web::serve::Service;
use mgmt_testkit::database::{TestDatabase, WORKER_LOGIN};
use mgmt_testkit::lambda_api::LambdaFake;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

pub(crate) struct Bed {
    pub(crate) database: TestDatabase,
    pub(crate) lambda: LambdaFake,
    url: String,
    service: Service,
}

impl Bed {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create().await;
        let url = database.url(WORKER_LOGIN);
        Self::with_url(database, url).await
    }

    pub(crate) async fn with_url(database: TestDatabase, url: String) -> Self {
        let lambda = LambdaFake::start().await.unwrap();
        let service = lambda_warmer::service(settings(&lambda, url.clone()));
        Self { database, lambda, url, service }
    }

    /// Starts another sandbox, which knows only what the database knows.
    pub(crate) fn restart(&mut self) {
        self.restart_with(self.settings());
    }

    pub(crate) fn restart_with(&mut self, settings: Settings) {
        self.service = lambda_warmer::service(settings);
    }

    pub(crate) fn settings(&self) -> Settings {
        settings(&self.lambda, self.url.clone())
    }

    /// Stores a schedule that is due every minute, with these functions.
    pub(crate) async fn always(&self, functions: Value) {
        self.store(&always(&functions)).await;
    }

    pub(crate) async fn store(&self, value: &Value) {
        let statement =
            "update public.platform_lambda_config set config_value = $1 where config_key = 'lambda_warming'";
        assert_eq!(self.database.admin().await.execute(statement, &[value]).await.unwrap(), 1);
    }

    /// Delivers a tick for the current minute.
    pub(crate) async fn tick(&self) -> Value {
        self.tick_at(Timestamp::now()).await.unwrap()
    }

    pub(crate) async fn tick_at(&self, time: Timestamp) -> Result<Value, String> {
        let time = Timestamp::from_second(time.as_second().div_euclid(60) * 60).unwrap();
        let event = json!({
            "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
            "source": "aws.events", "account": "123456789012", "time": time.to_string(), "region": "eu-central-1",
            "resources": ["arn:aws:events:eu-central-1:123456789012:rule/shop.test.warm.0123456789abcdef"], "detail": {},
        });
        let mut context = lambda_runtime::Context::default();
        let deadline = SystemTime::now() + Duration::from_secs(30);
        context.deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis().try_into().unwrap();
        let answer = self.service.handle(&to_raw_value(&event).unwrap(), &context).await;
        answer.map(|json| serde_json::from_str(json.get()).unwrap()).map_err(|error| error.to_string())
    }

    /// The whole history, oldest first.
    pub(crate) async fn history(&self) -> Vec<Value> {
        let statement = "select to_jsonb(run) from public.platform_warming_run run order by tick";
        self.database.admin().await.query(statement, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// What is stored about a function; null: nothing.
    pub(crate) async fn row(&self, name: &str) -> Value {
        let statement = "select to_jsonb(target) from public.platform_warming_target target where function_name = $1";
        let row = self.database.admin().await.query_opt(statement, &[&name]).await.unwrap();
        row.map_or(Value::Null, |row| row.get(0))
    }

    /// Another tick, as if it were another minute; the first function's report.
    pub(crate) async fn again(&self) -> Value {
        self.forget_ticks().await;
        self.tick().await["report"]["functions"][0].clone()
    }

    /// Lets the next tick of this minute run, as if it were another minute.
    pub(crate) async fn forget_ticks(&self) {
        self.database.admin().await.batch_execute("delete from public.platform_warming_run").await.unwrap();
    }

    pub(crate) fn assert_no_violation(&self) {
        assert_eq!(self.lambda.violations(), Vec::<String>::new());
    }
}

pub(crate) fn settings(lambda: &LambdaFake, url: String) -> Settings {
    Settings {
        database: DatabaseSettings { url, role: DatabaseRole::Worker, ca_pem: None, pool_size: None },
        aws: AwsSettings {
            region: "eu-central-1".into(),
            access_key_id: "AKIATEST".into(),
            secret_access_key: "secret".into(),
            session_token: None,
            endpoint_url: Some(lambda.url()),
        },
        namespace: Namespace::parse("shop", "test").unwrap(),
        hold: Duration::from_millis(300),
        max_in_flight: 500,
    }
}

pub(crate) fn always(functions: &Value) -> Value {
    week(&json!({"enabled": true, "ranges": [{"start": "00:00", "end": "24:00"}]}), functions)
}

pub(crate) fn week(day: &Value, functions: &Value) -> Value {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let schedule: serde_json::Map<String, Value> =
        days.map(|name| (name.to_owned(), day.clone())).into_iter().collect();
    json!({"enabled": true, "timezone": "UTC", "interval_minutes": 1, "weekly_schedule": schedule,
        "lambda_functions": functions, "include_modules": false})
}
