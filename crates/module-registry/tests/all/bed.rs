//! What every test starts from: the function and a database of its own.

use std::ops::Deref;

use mgmt_common::schedule::name::Namespace;
use mgmt_common::settings::{DatabaseRole, DatabaseSettings};
use mgmt_common::warming::boundary::Boundary;
use mgmt_testkit::database::{ConnectionMode, REQUEST_LOGIN, TestDatabase};
use mgmt_testkit::function::{FunctionBed, FunctionUnderTest};
use mgmt_testkit::gateway::{Request, Who};
use module_mgmt_protocol::caller::ClaimNames;
use module_registry::settings::Settings;
use serde_json::{Value, json};

pub(crate) const MODULES: &str = "/platform/modules";
pub(crate) const NAVIGATION: &str = "/platform/navigation";
pub(crate) const STATE: &str = "/platform/modules/state";

pub(crate) struct Bed(FunctionBed);

impl Deref for Bed {
    type Target = FunctionBed;

    fn deref(&self) -> &FunctionBed {
        &self.0
    }
}

impl Bed {
    pub(crate) async fn new() -> Self {
        Self::by(ConnectionMode::Direct).await
    }

    pub(crate) async fn by(mode: ConnectionMode) -> Self {
        let database = TestDatabase::create().await;
        let function = function(&database.url_by(mode, REQUEST_LOGIN));
        Self(FunctionBed { database, function })
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
}

pub(crate) fn function(url: &str) -> FunctionUnderTest {
    let database = DatabaseSettings { url: url.to_owned(), role: DatabaseRole::Request, ca_pem: None, pool_size: None };
    let namespace = Namespace::parse("shop", "test").unwrap();
    let service = module_registry::service(Settings {
        database,
        claim_names: ClaimNames::default(),
        boundary: Boundary::new(Some(&namespace), None, &[]),
        overrides_per_minute: 60,
    });
    FunctionUnderTest::new(move |event, context| {
        let service = service.clone();
        async move { service.handle(&event, &context).await }
    })
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
