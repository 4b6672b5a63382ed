//! `mgmt modules` against an API that keeps modules as module-registry does, as far as the command can tell.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::process::Command;

#[derive(Default)]
struct Registry {
    modules: Vec<Value>,
    /// Everything that was sent but reads: method, path, If-Match, body.
    log: Vec<(String, Option<String>, Value)>,
    /// So many updates are refused with 409, as enabling is while a module that is needed is off.
    refuse_updates: usize,
    /// Whether every module changes after it was read.
    somebody_is_faster: bool,
}

struct Platform {
    url: String,
    registry: Arc<Mutex<Registry>>,
}

impl Platform {
    async fn start(modules: Vec<Value>) -> Self {
        let registry = Arc::new(Mutex::new(Registry { modules, ..Registry::default() }));
        let router = Router::new().fallback(answer).with_state(registry.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, registry }
    }

    /// Runs `mgmt modules` with a document on its standard input.
    async fn mgmt(&self, arguments: &[&str], document: &str) -> (Option<i32>, String, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mgmt"))
            .arg("modules")
            .args(arguments)
            .env("MODULE_MGMT_URL", &self.url)
            .env("MODULE_MGMT_TOKEN", "secret")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that refuses its arguments reads nothing.
        let _ = child.stdin.take().unwrap().write_all(document.as_bytes()).await;
        let Output { status, stdout, stderr } = child.wait_with_output().await.unwrap();
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    /// What was sent since the last time.
    fn sent(&self) -> Vec<(String, Option<String>, Value)> {
        std::mem::take(&mut self.registry.lock().unwrap().log)
    }

    fn requests(&self) -> Vec<String> {
        self.sent().into_iter().map(|(request, ..)| request).collect()
    }
}

async fn answer(State(registry): State<Arc<Mutex<Registry>>>, request: Request) -> Response {
    let headers = request.headers().clone();
    let header = |name: &str| Some(headers.get(name)?.to_str().unwrap().to_owned());
    assert_eq!(header("authorization").as_deref(), Some("Bearer secret"));
    let if_match = header("if-match");
    let sent = format!("{} {}", request.method(), request.uri());
    let body = to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut registry = registry.lock().unwrap();
    if sent == "GET /platform/modules" {
        let listed = json!(registry.modules).to_string();
        if registry.somebody_is_faster {
            registry.modules.iter_mut().for_each(|module| module["rowVersion"] = json!(8));
        }
        return (StatusCode::OK, listed).into_response();
    }
    registry.log.push((sent.clone(), if_match.clone(), body.clone()));
    let (status, answer) = change(&mut registry, &sent, if_match.as_deref(), &body);
    (StatusCode::from_u16(status).unwrap(), answer.to_string()).into_response()
}

fn change(registry: &mut Registry, sent: &str, if_match: Option<&str>, body: &Value) -> (u16, Value) {
    if sent == "POST /platform/modules" {
        let mut module = json!({ "isEnabled": false, "dependencies": [], "rowVersion": 1 });
        module.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        registry.modules.push(module.clone());
        return (201, module);
    }
    let (method, path) = sent.split_once(' ').unwrap();
    let path = path.strip_prefix("/platform/modules/").unwrap().split('?').next().unwrap();
    let (name, verb) = path.split_once('/').unwrap_or((path, ""));
    let place = registry.modules.iter().position(|module| module["name"] == name).unwrap();
    if method == "PUT" && registry.refuse_updates > 0 {
        registry.refuse_updates -= 1;
        return (409, json!({ "detail": "not while module-b is off" }));
    }
    let is_on = |needed: &Value| {
        let name = needed.as_str().unwrap().split('@').next();
        registry.modules.iter().any(|module| module["name"].as_str() == name && module["isEnabled"] == true)
    };
    if verb == "enable" && !registry.modules[place]["dependencies"].as_array().unwrap().iter().all(is_on) {
        return (409, json!({ "detail": format!("{name} needs modules that are off") }));
    }
    let module = &mut registry.modules[place];
    match verb {
        "" if if_match != Some(&format!("\"{}\"", module["rowVersion"])) => {
            return (412, json!({ "detail": "it has changed" }));
        }
        "" => module.as_object_mut().unwrap().extend(body.as_object().unwrap().clone()),
        verb => module["isEnabled"] = json!(verb == "enable"),
    }
    module["rowVersion"] = json!(module["rowVersion"].as_i64().unwrap() + 1);
    let impact = match verb {
        "" => return (200, module.clone()),
        "disable" => json!({ "changes": [name], "dependents": [], "refusals": [], "functions": ["orders-api"],
            "orgOverrides": 17, "activeOrgs": 23, "activeUsers": 4711 }),
        _ => json!({}),
    };
    (200, json!({ "module": module, "impact": impact }))
}

fn module(name: &str, is_enabled: bool, needs: &[&str]) -> Value {
    json!({ "name": name, "isEnabled": is_enabled, "dependencies": needs, "tier": 3, "rowVersion": 7 })
}

const APPLY: [&str; 3] = ["apply", "-f", "-"];
const FILE: &str = "
modules:
  - name: module-b
    display_name: Billing
    isEnabled: true
    dependencies: [module-a]
  - {name: module-a, isEnabled: true, config: {some_key: 1}}
";

#[tokio::test]
async fn a_file_is_planned_then_applied_then_done() {
    let platform = Platform::start(vec![module("module-z", true, &[])]).await;
    let (code, shown, _) = platform.mgmt(&["apply", "-f", "-", "--dry-run"], FILE).await;
    assert_eq!(code, Some(0));
    for part in
        ["+ create", "module-a", "> enable", "displayName: Billing", "1 more modules", "4 steps; nothing was changed."]
    {
        assert!(shown.contains(part), "{shown}");
    }
    assert!(platform.requests().is_empty());

    let (code, shown, progress) = platform.mgmt(&APPLY, FILE).await;
    assert!(code == Some(0) && shown.contains("4 steps done.") && progress.contains("(4 of 4)"), "{shown}{progress}");
    let sent = platform.sent();
    let requests: Vec<&str> = sent.iter().map(|(request, ..)| request.as_str()).collect();
    let enable = |name: &str| format!("POST /platform/modules/{name}/enable");
    let expected = ["POST /platform/modules", "POST /platform/modules", &enable("module-a"), &enable("module-b")];
    assert_eq!(requests, expected);
    // Free JSON keeps its keys; whether a module is on is no part of what is registered.
    assert_eq!(sent[0].2, json!({ "name": "module-a", "config": { "some_key": 1 } }));
    assert_eq!(sent[1].2, json!({ "name": "module-b", "displayName": "Billing", "dependencies": ["module-a"] }));

    let (code, shown, _) = platform.mgmt(&APPLY, FILE).await;
    assert!(code == Some(0) && shown.contains("Everything is as the file says."), "{shown}");
    let (_, line, _) = platform.mgmt(&["apply", "-f", "-", "--json"], FILE).await;
    let done: Value = serde_json::from_str(&line).unwrap();
    let plan = json!({ "steps": [], "unchanged": ["module-a", "module-b"], "leftAlone": ["module-z"] });
    assert_eq!(done, json!({ "plan": plan, "done": 0 }));
    assert!(platform.requests().is_empty());
}

#[tokio::test]
async fn an_update_overwrites_nobody() {
    let platform = Platform::start(vec![module("module-a", true, &[])]).await;
    let file = "- {name: module-a, tier: 2}";
    let (code, shown, _) = platform.mgmt(&APPLY, file).await;
    assert!(code == Some(0) && shown.contains("tier: 3 -> 2"), "{shown}");
    let sent = ("PUT /platform/modules/module-a".to_owned(), Some("\"7\"".to_owned()), json!({ "tier": 2 }));
    assert_eq!(platform.sent(), [sent]);
}

#[tokio::test]
async fn a_step_that_is_refused_waits_for_the_others() {
    let modules = || vec![module("module-a", false, &[]), module("module-b", false, &[])];
    let file = "- {name: module-a, tier: 2}\n- {name: module-b, isEnabled: true}";
    let platform = Platform::start(modules()).await;
    platform.registry.lock().unwrap().refuse_updates = 1;
    let (code, shown, _) = platform.mgmt(&APPLY, file).await;
    assert!(code == Some(0) && shown.contains("2 steps done."), "{shown}");
    let (put, enable) = ("PUT /platform/modules/module-a", "POST /platform/modules/module-b/enable");
    assert_eq!(platform.requests(), [put, enable, put]);

    // Refused in a round that brings nothing further: it is told, with how far the others came.
    let platform = Platform::start(modules()).await;
    platform.registry.lock().unwrap().refuse_updates = usize::MAX;
    let (code, _, error) = platform.mgmt(&APPLY, file).await;
    assert_eq!(code, Some(1));
    let told = "~ update module-a, after 1 of 2 steps: the platform answered 409: not while module-b is off";
    assert!(error.contains(told), "{error}");
    assert_eq!(platform.requests(), [put, enable, put]);
}

#[tokio::test]
async fn another_refusal_ends_it_at_once() {
    let platform = Platform::start(vec![module("module-a", false, &[]), module("module-b", false, &[])]).await;
    platform.registry.lock().unwrap().somebody_is_faster = true;
    let file = "- {name: module-a, tier: 2}\n- {name: module-b, tier: 2}";
    let (code, _, error) = platform.mgmt(&APPLY, file).await;
    assert_eq!(code, Some(1));
    let told = "~ update module-a, after 0 of 2 steps: the platform answered 412: it has changed";
    assert!(error.contains(told), "{error}");
    assert_eq!(platform.requests(), ["PUT /platform/modules/module-a"]);

    let nobody = Platform { url: "http://127.0.0.1:1".into(), registry: Arc::default() };
    let (code, _, error) = nobody.mgmt(&APPLY, file).await;
    assert!(code == Some(1) && error.contains("127.0.0.1:1"), "{error}");
}

#[tokio::test]
async fn manifests_say_what_the_registry_keeps() {
    let platform = Platform::start(Vec::new()).await;
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../module.json");
    let (code, _, error) = platform.mgmt(&["apply", "--file", manifest], "").await;
    assert_eq!(code, Some(0), "{error}");
    let sent = platform.sent();
    let body = &sent[0].2;
    assert_eq!((&body["name"], &body["type"], &body["tier"]), (&json!("module-mgmt"), &json!("core"), &json!(3)));
    assert!(body.get("provides").is_none() && body.get("license").is_none(), "{body}");
}

/// An update that waits for the same module's own switch must not meet the version that the switch made.
#[tokio::test]
async fn the_steps_of_one_module_follow_each_others_versions() {
    let platform = Platform::start(vec![module("module-a", true, &[])]).await;
    platform.registry.lock().unwrap().refuse_updates = 1;
    let (code, _, error) = platform.mgmt(&APPLY, "- {name: module-a, isEnabled: false, tier: 1}").await;
    assert_eq!(code, Some(0), "{error}");
    let updates: Vec<_> = platform.sent().into_iter().filter_map(|(_, if_match, _)| if_match).collect();
    assert_eq!(updates, ["\"7\"", "\"8\""]);
}

#[tokio::test]
async fn faults_of_a_file_have_their_place_and_nothing_is_sent() {
    let platform = Platform::start(Vec::new()).await;
    let (code, _, error) = platform.mgmt(&APPLY, "- {name: module-a, enabled: true}\n- 3").await;
    assert!(code == Some(1) && error.contains("  /0/enabled: is no field of a module"), "{error}");
    assert!(error.contains("  /1: must be a module"), "{error}");
    let (code, _, error) = platform.mgmt(&["apply", "-f", "-", "--json"], "- {tier: 1}").await;
    let error: Value = serde_json::from_str(&error).unwrap();
    assert_eq!((code, &error["errors"][0]["pointer"]), (Some(1), &json!("/0/name")));
    let (code, _, error) = platform.mgmt(&APPLY, "{").await;
    assert!(code == Some(1) && error.contains("is not YAML"), "{error}");
    let (code, _, error) = platform.mgmt(&APPLY, "- {name: module-a, isEnabled: \"false\"}").await;
    assert!(code == Some(1) && error.contains("/0/isEnabled: must be true or false"), "{error}");
    // A flow list is YAML, however much it begins like JSON.
    let (code, _, error) = platform.mgmt(&APPLY, "[{name: module-a, enabled: true}]").await;
    assert!(code == Some(1) && error.contains("/0/enabled"), "{error}");
    let (code, ..) = platform.mgmt(&["apply"], "").await;
    assert_eq!(code, Some(2));
    assert!(platform.requests().is_empty());
}

#[tokio::test]
async fn the_demo_modules_can_be_applied() {
    let platform = Platform::start(Vec::new()).await;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/modules.yaml");
    let (code, shown, error) = platform.mgmt(&["apply", "-f", file], "").await;
    assert!(code == Some(0) && shown.contains("6 steps done."), "{shown}{error}");
    let (_, shown, _) = platform.mgmt(&["apply", "-f", file], "").await;
    assert!(shown.contains("Everything is as the file says."), "{shown}");
}

#[tokio::test]
async fn disabling_shows_who_will_miss_it() {
    let platform = Platform::start(vec![module("module-a", true, &[])]).await;
    let (code, table, _) = platform.mgmt(&["disable", "module-a"], "").await;
    assert_eq!(code, Some(0));
    let rows = [
        ("no longer warmed", "orders-api"),
        ("organisations with an override", "17"),
        ("organisations active in the last 30 days", "23"),
        ("users active in the last 30 days", "4711"),
    ];
    for (what, number) in rows {
        assert!(table.lines().any(|line| line.contains(what) && line.contains(number)), "{table}");
    }
    assert_eq!(platform.requests(), ["POST /platform/modules/module-a/disable?cascade=false&dryRun=false"]);
}
