//! What every test starts from: the function and a database of its own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::Context;
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_common::web::serve::Service;
use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase};
use mgmt_testkit::gateway::{Answer, Request, Who};
use module_mgmt_protocol::caller::ClaimNames;
use module_registry::settings::Settings;
use serde_json::value::RawValue;
use serde_json::{Value, json};

pub(crate) const MODULES: &str = "/platform/modules";
pub(crate) const NAVIGATION: &str = "/platform/navigation";
pub(crate) const STATE: &str = "/platform/modules/state";

pub(crate) struct Bed {
    pub(crate) database: TestDatabase,
    service: Service,
}

impl Bed {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create().await;
        let service = service(&database.url(REQUEST_LOGIN));
        Self { database, service }
    }

    /// Through PgBouncer in transaction mode.
    pub(crate) async fn pooled() -> Self {
        let database = TestDatabase::create().await;
        let service = service(&database.pooled_url(REQUEST_LOGIN));
        Self { database, service }
    }

    pub(crate) async fn send(&self, request: &Request) -> Answer {
        send(&self.service, request).await
    }

    /// As platform admin, with an expected status.
    #[track_caller]
    pub(crate) fn admin(&self, request: Request, status: u64) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let answer = self.send(&request).await;
            assert_eq!(answer.status, status, "{caller}: {answer:?}");
            if answer.body.is_empty() { Value::Null } else { answer.json() }
        }
    }

    /// Registers a module by its short name; fields as given.
    pub(crate) async fn register(&self, name: &str, fields: Value) -> Value {
        let mut body = json!({"name": format!("module-{name}"), "displayName": name});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.admin(Request::post(MODULES).json(&body), 201).await
    }

    /// Registers modules that need each other, enabled: each `name` or `name>needed,needed`.
    pub(crate) async fn enabled(&self, modules: &[&str]) {
        for module in modules {
            let (name, needs) = module.split_once('>').unwrap_or((module, ""));
            let needs: Vec<String> =
                needs.split(',').filter(|name| !name.is_empty()).map(|name| format!("module-{name}")).collect();
            self.register(name, json!({"isEnabled": true, "dependencies": needs})).await;
        }
    }

    /// The names of all enabled modules but the seed's.
    pub(crate) async fn on(&self) -> Vec<String> {
        let modules = self.admin(Request::get(&format!("{MODULES}?enabled=true&type=functional")), 200).await;
        names(&modules)
    }

    /// One statement as superuser, past row-level security.
    pub(crate) async fn arrange(&self, statement: &str) {
        self.database.admin().await.batch_execute(statement).await.unwrap();
    }

    /// One text as superuser.
    pub(crate) async fn look(&self, statement: &str) -> String {
        self.database
            .admin()
            .await
            .query_one(statement, &[])
            .await
            .unwrap()
            .get::<_, Option<String>>(0)
            .unwrap_or_default()
    }
}

pub(crate) fn service(url: &str) -> Service {
    let database = DatabaseSettings { url: url.to_owned(), role: DatabaseRole::Request, ca_pem: None, pool_size: None };
    module_registry::service(Settings { database, claim_names: ClaimNames::default() })
}

pub(crate) async fn send(service: &Service, request: &Request) -> Answer {
    let event = RawValue::from_string(request.event()).unwrap();
    let mut context = Context::default();
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(29);
    context.deadline = deadline.as_millis().try_into().unwrap();
    let answer = service.handle(&event, &context).await.unwrap();
    Answer::read(request, answer.get())
}

pub(crate) fn names(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|module| module["name"].as_str().unwrap().to_owned()).collect()
}

/// `/platform/modules/module-{name}` and what follows.
pub(crate) fn path(name: &str, rest: &str) -> String {
    format!("{MODULES}/module-{name}{rest}")
}

pub(crate) fn put(name: &str, version: &Value, body: &Value) -> Request {
    Request::put(&path(name, ""), body).header("if-match", &format!("\"{version}\""))
}

/// A caller's claims with these permissions.
pub(crate) fn permitted(who: Who, permissions: &str) -> Option<Value> {
    let mut claims = who.claims().unwrap();
    claims["permissions"] = permissions.into();
    Some(claims)
}
