//! A warmer with its database and Lambda, driven by events as EventBridge sends them.

use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use lambda_warmer::State;
use lambda_warmer::settings::Settings;
use mgmt_common::aws::AwsSettings;
use mgmt_common::schedule::name::Namespace;
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_testkit::database::{TestDatabase, WORKER_LOGIN};
use mgmt_testkit::events;
use mgmt_testkit::function::{FunctionBed, FunctionUnderTest};
use mgmt_testkit::lambda_api::LambdaFake;
use module_mgmt_protocol::clock::{Clock, Moment};
use serde_json::{Value, json};

pub(crate) struct Bed {
    worker: FunctionBed,
    pub(crate) lambda: LambdaFake,
    url: String,
}

impl Deref for Bed {
    type Target = FunctionBed;

    fn deref(&self) -> &FunctionBed {
        &self.worker
    }
}

impl Bed {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create().await;
        let url = database.url(WORKER_LOGIN);
        Self::with_url(database, url).await
    }

    pub(crate) async fn with_url(database: TestDatabase, url: String) -> Self {
        let lambda = LambdaFake::start().await.unwrap();
        let function = function(settings(&lambda, url.clone()));
        Self { worker: FunctionBed { database, function }, lambda, url }
    }

    /// Starts another sandbox, which knows only what the database knows.
    pub(crate) fn restart(&mut self) {
        self.restart_with(self.settings());
    }

    pub(crate) fn restart_with(&mut self, settings: Settings) {
        self.worker.function = function(settings);
    }

    /// Starts another sandbox by a clock that the test moves.
    pub(crate) fn restart_by(&mut self, clock: &Arc<MovedClock>) {
        let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
        self.worker.function = function_of(State::with_clock(self.settings(), clock));
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
        self.function.handle(&events::scheduled(&time.to_string(), "shop.test.warm.0123456789abcdef")).await
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
        self.arrange("delete from public.platform_warming_run").await;
    }

    pub(crate) fn assert_no_violation(&self) {
        assert_eq!(self.lambda.violations(), Vec::<String>::new());
    }
}

fn function(settings: Settings) -> FunctionUnderTest {
    function_of(State::new(settings))
}

fn function_of(state: State) -> FunctionUnderTest {
    let service = lambda_warmer::service_of(state);
    FunctionUnderTest::new(move |event, context| {
        let service = service.clone();
        async move { service.handle(&event, &context).await }
    })
}

/// Stands still until it is moved.
pub(crate) struct MovedClock(Mutex<Moment>);

impl MovedClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Moment { wall: SystemTime::now(), steady: Instant::now() })))
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut moment = self.0.lock().unwrap();
        moment.wall += by;
        moment.steady += by;
    }

    pub(crate) fn now_utc(&self) -> Timestamp {
        Timestamp::try_from(self.0.lock().unwrap().wall).unwrap()
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap()
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
        warming_accounts: Vec::new(),
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
