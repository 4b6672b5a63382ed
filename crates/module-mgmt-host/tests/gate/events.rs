//! Whole events through the layers, and what a refused one is answered.

use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use module_mgmt_host::gate::{Admission, Gate, GateLayer};
use module_mgmt_host::warm::{Instance, WarmLayer};
use module_mgmt_protocol::decision::Reason;
use module_mgmt_protocol::ping::PING_SOURCE;
use module_mgmt_protocol::state::{ModuleState, ModuleType};
use serde_json::{Value, json};
use tower::{Layer as _, ServiceExt as _};

use crate::bed::{MODULE, Registry, module};

fn event(authorizer: &Value) -> Value {
    json!({
        "version": "2.0", "rawPath": "/prod/orders/7", "headers": {"authorization": "Bearer t"},
        "requestContext": {
            "http": {"method": "GET"}, "stage": "prod", "requestId": "gateway-id", "authorizer": authorizer,
        },
    })
}

fn signed_in(claims: &Value) -> Value {
    event(&json!({ "jwt": { "claims": claims } }))
}

fn member() -> Value {
    signed_in(&json!({"sub": "u", "org_id": "a"}))
}

/// Through both layers, as a real function has them.
async fn through(gate: &Gate, payload: &Value) -> Result<Value, Error> {
    let handler =
        service_fn(async |event: LambdaEvent<Value>| Ok::<_, Error>(json!({"handled": event.payload["rawPath"]})));
    let gated = GateLayer::new(gate.clone()).layer(handler);
    let service = WarmLayer::new(Instance::start()).on_ping(gate.clone()).layer(gated);
    let event = LambdaEvent::new(serde_json::value::to_raw_value(payload)?, Context::default());
    Ok(serde_json::to_value(service.oneshot(event).await?)?)
}

fn problem(answer: &Value) -> Value {
    assert_eq!(answer["headers"]["content-type"], "application/problem+json");
    assert_eq!(answer["headers"]["cache-control"], "no-store");
    assert_eq!(answer["isBase64Encoded"], false);
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn an_enabled_modules_events_reach_the_handler_and_forward_their_authorization() {
    let registry = Registry::of("a", vec![module(None)]);
    let (gate, _) = registry.gate(ModuleType::Functional);
    assert_eq!(through(&gate, &member()).await.unwrap(), json!({"handled": "/prod/orders/7"}));
    assert_eq!(registry.reads()[0].credential.as_deref(), Some("Bearer t"));
    let mut local = member();
    local["headers"] = json!({"Authorization": "Bearer local"});
    local["requestContext"]["authorizer"]["jwt"]["claims"]["org_id"] = "b".into();
    through(&gate, &local).await.unwrap();
    assert_eq!(registry.reads()[1].credential.as_deref(), Some("Bearer local"));
    let granted = gate.admit(&member().to_string(), "").await.unwrap();
    assert!(
        matches!(granted, Admission::Granted(caller) if caller.user_id == "u" && caller.request_id == "gateway-id")
    );
}

#[tokio::test]
async fn a_disabled_module_answers_503_with_module_and_reason() {
    let (gate, _) = Registry::of("a", vec![module(Some(Reason::OrgOff))]).gate(ModuleType::Functional);
    let answer = through(&gate, &member()).await.unwrap();
    assert_eq!((&answer["statusCode"], &answer["headers"]["x-request-id"]), (&json!(503), &json!("gateway-id")));
    assert_eq!(
        problem(&answer),
        json!({
            "type": "urn:module-mgmt:problem:module-disabled", "title": "The module is not available", "status": 503,
            "detail": "module-orders is not available: your organisation has switched it off",
            "instance": "/orders/7", "code": "module_disabled", "requestId": "gateway-id",
            "module": MODULE, "reason": "org_off",
        })
    );
}

/// A header cannot hold every text; the body can.
#[tokio::test]
async fn a_request_id_that_fits_into_no_header_is_in_the_body_only() {
    let (gate, _) = Registry::of("a", vec![module(Some(Reason::OrgOff))]).gate(ModuleType::Functional);
    for (id, fits) in [("Root=1-5759e988;x", true), ("a b", false), ("a\r\nx-forged: 1", false), ("ü", false)] {
        let mut sent = member();
        sent["requestContext"]["requestId"] = id.into();
        let answer = through(&gate, &sent).await.unwrap();
        assert_eq!(answer["headers"].get("x-request-id"), fits.then(|| json!(id)).as_ref(), "{id:?}");
        assert_eq!(problem(&answer)["requestId"], id);
    }
}

#[tokio::test]
async fn an_unreadable_state_is_told_as_such() {
    let registry = Registry::default();
    registry.fail(Some("down"));
    let (gate, _) = registry.gate(ModuleType::Functional);
    let answer = through(&gate, &member()).await.unwrap();
    assert_eq!(problem(&answer)["reason"], "state_unknown");
}

/// Faults, rows 9 and 10: whoever has no identity is answered alike, before anything is read.
#[tokio::test]
async fn a_caller_without_identity_is_answered_401() {
    let registry = Registry::of("a", vec![module(None)]);
    let (gate, _) = registry.gate(ModuleType::Core);
    let mut without = member();
    without["requestContext"].as_object_mut().unwrap().remove("authorizer");
    let mut bodies = Vec::new();
    for event in [
        without,
        event(&json!({})),
        event(&json!({"iam": {"accountId": "1"}})),
        signed_in(&json!({"org_id": "a"})),
        signed_in(&json!({"sub": "u"})),
        signed_in(&json!({"sub": "u", "org_id": "[a b]"})),
        signed_in(&json!({"sub": "u", "org_id": ["a"]})),
        signed_in(&json!({"sub": "u", "org_id": "a", "role": "anon"})),
        signed_in(&json!({"sub": "u", "org_id": "a", "role": "service_role"})),
        signed_in(&json!({"sub": "u", "org_id": "a", "is_anonymous": "true"})),
    ] {
        let answer = through(&gate, &event).await.unwrap();
        assert_eq!((&answer["statusCode"], &answer["headers"]["www-authenticate"]), (&json!(401), &json!("Bearer")));
        bodies.push(problem(&answer));
    }
    assert_eq!(bodies[0]["code"], "unauthenticated");
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(registry.count(), 0);
}

/// Faults, row 10: no trick with a claim holds a permission that the module requires.
#[tokio::test]
async fn claim_tricks_hold_no_permission() {
    let mut needing = module(None);
    needing.required_permissions = vec!["orders.read".into()];
    let (gate, _) = Registry::of("a", vec![needing]).gate(ModuleType::Core);
    for trick in [
        json!({"permissions": "[orders.read orders.write]"}),
        json!({"permissions": "map[orders.read:true]"}),
        json!({"permissions": ["orders.read"]}),
        json!({"permissions": {"orders.read": true}}),
        json!({"permissions": "orders.read,orders.write"}),
        json!({"permissions": "orders.reader Orders.Read"}),
        json!({"scope": "orders.read", "roles": "[orders.read]"}),
        json!({"user_metadata": {"permissions": "orders.read"}}),
        json!({"is_platform_admin": "[true]"}),
        json!({"is_platform_admin": "TRUE"}),
        json!({"is_platform_admin": 1}),
        json!({"groups": "orders.read ".repeat(20_000)}),
    ] {
        let mut claims = json!({"sub": "u", "org_id": "a"});
        claims.as_object_mut().unwrap().extend(trick.as_object().unwrap().clone());
        let answer = through(&gate, &signed_in(&claims)).await.unwrap();
        assert_eq!(problem(&answer)["reason"], "permission_missing", "{trick}");
    }
    for held in [json!({"permissions": "orders.write orders.read"}), json!({"is_platform_admin": "true"})] {
        let mut claims = json!({"sub": "u", "org_id": "a"});
        claims.as_object_mut().unwrap().extend(held.as_object().unwrap().clone());
        assert!(through(&gate, &signed_in(&claims)).await.unwrap()["handled"].is_string(), "{held}");
    }
}

#[tokio::test]
async fn nothing_in_headers_query_or_body_chooses_the_organisation() {
    let registry = Registry::of("a", vec![module(Some(Reason::OrgOff))]);
    registry.put("b", "1", vec![module(None)]);
    let (gate, _) = registry.gate(ModuleType::Functional);
    let mut event = member();
    event["headers"]["x-org-id"] = "b".into();
    event["rawQueryString"] = "orgId=b&org_id=b".into();
    event["body"] = json!({"orgId": "b"}).to_string().into();
    assert_eq!(problem(&through(&gate, &event).await.unwrap())["reason"], "org_off");
}

#[tokio::test]
async fn a_ping_needs_no_identity_and_other_kinds_of_events_are_errors() {
    let (gate, _) = Registry::of("a", vec![module(None)]).gate(ModuleType::Core);
    let ping = json!({"source": PING_SOURCE, "ping": {"runId": "r", "invocation": 1, "of": 1, "holdMs": 0}});
    assert!(through(&gate, &ping).await.unwrap()["instanceId"].is_string());
    // A refusal would tell a queue that its messages were handled.
    for other in [json!({"Records": [{"body": "{}"}]}), json!({"detail-type": "Scheduled Event"}), json!(null)] {
        let error = through(&gate, &other).await.unwrap_err().to_string();
        assert!(error.contains("payload 2.0"), "{error}");
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    name: String,
    authorizer: Option<Value>,
    module: Option<ModuleState>,
    stage: Option<String>,
    raw_path: Option<String>,
    expected: Value,
}

/// The cases that clients/python/tests reads too, so that both gates answer alike.
#[tokio::test]
async fn every_case_is_answered_as_the_other_clients_answer_it() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("cases.json")).unwrap();
    for case in cases {
        let (gate, _) = Registry::of("a", case.module.into_iter().collect()).gate(ModuleType::Functional);
        let mut event = event(&case.authorizer.clone().unwrap_or_default());
        let context = event["requestContext"].as_object_mut().unwrap();
        if case.authorizer.is_none() {
            context.remove("authorizer");
        }
        context.insert("stage".into(), case.stage.as_deref().unwrap_or("$default").into());
        event["rawPath"] = case.raw_path.as_deref().unwrap_or("/orders/7").into();
        let answer = through(&gate, &event).await.unwrap();
        if case.expected == "handled" {
            assert!(answer["handled"].is_string(), "{}: {answer}", case.name);
            continue;
        }
        assert!(answer["handled"].is_null(), "{}: {answer}", case.name);
        let mut expected = case.expected.clone();
        let members = expected.as_object_mut().unwrap();
        let status = members.remove("statusCode").unwrap();
        let code = members["code"].as_str().unwrap().replace('_', "-");
        members.insert("type".into(), format!("urn:module-mgmt:problem:{code}").into());
        members.insert("status".into(), status.clone());
        members.insert("requestId".into(), "gateway-id".into());
        assert_eq!((&answer["statusCode"], problem(&answer)), (&status, expected), "{}", case.name);
    }
}
