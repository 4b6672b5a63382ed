//! The state over HTTP, from a server that is as strict as ours and then misbehaves.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use module_mgmt_host::gate::{Credential, Gate, HttpSource, ReadError, StateSource as _, Verdict};
use module_mgmt_protocol::decision::{Permissions, Reason};
use module_mgmt_protocol::state::{ModuleType, RegistryState};
use serde_json::json;

use crate::bed::{MODULE, TestClock, UNKNOWN, check, module, off};

/// What was asked: the query, If-None-Match and the status that was answered.
type Asked = (Option<String>, Option<String>, u16);

#[derive(Clone)]
enum Behaviour {
    /// The organisation is the token's: `Bearer <org>`; a token `Bearer admin` asks with `?orgId=`.
    Proper(RegistryState),
    Status(StatusCode),
    Body(String),
    NotModified,
    Hang,
}

struct Inside {
    behaviour: Behaviour,
    asked: Vec<Asked>,
}

#[derive(Clone)]
struct Server {
    inside: Arc<Mutex<Inside>>,
    url: String,
}

impl Server {
    async fn start(behaviour: Behaviour) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/stage", listener.local_addr().unwrap());
        let server = Self { inside: Arc::new(Mutex::new(Inside { behaviour, asked: Vec::new() })), url };
        let router = Router::new().route("/stage/platform/modules/state", get(answer)).with_state(server.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        server
    }

    fn behave(&self, behaviour: Behaviour) {
        self.inside.lock().unwrap().behaviour = behaviour;
    }

    fn asked(&self) -> Vec<Asked> {
        self.inside.lock().unwrap().asked.clone()
    }

    fn gate(&self) -> (Gate, TestClock) {
        gate(HttpSource::new(&self.url).unwrap())
    }
}

fn gate(source: HttpSource) -> (Gate, TestClock) {
    let clock = TestClock::new();
    (Gate::for_module(MODULE, ModuleType::Functional).clock(clock.clone()).reading(source), clock)
}

async fn answer(State(server): State<Server>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let (behaviour, condition) = (server.inside.lock().unwrap().behaviour.clone(), text(header::IF_NONE_MATCH));
    let response = match behaviour {
        Behaviour::Proper(state) => {
            let token = text(header::AUTHORIZATION);
            let expected = match &query {
                Some(_) => "Bearer admin".to_owned(),
                None => format!("Bearer {}", state.org_id),
            };
            let tag = format!("\"{}\"", state.version);
            if token != Some(expected) {
                StatusCode::UNAUTHORIZED.into_response()
            } else if condition.as_deref() == Some(tag.as_str()) {
                (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response()
            } else {
                ([(header::ETAG, tag)], serde_json::to_string(&state).unwrap()).into_response()
            }
        }
        Behaviour::Status(status) => status.into_response(),
        Behaviour::Body(body) => body.into_response(),
        Behaviour::NotModified => StatusCode::NOT_MODIFIED.into_response(),
        Behaviour::Hang => {
            tokio::time::sleep(Duration::from_secs(3_600)).await;
            StatusCode::OK.into_response()
        }
    };
    server.inside.lock().unwrap().asked.push((query, condition, response.status().as_u16()));
    response
}

fn state(org_id: &str, version: &str, reason: Option<Reason>) -> RegistryState {
    RegistryState { version: version.into(), org_id: org_id.into(), modules: vec![module(reason)] }
}

async fn check_as(gate: &Gate, org_id: &str, token: &str) -> Verdict {
    gate.check_with(org_id, &Permissions::Claim(""), Some(&Credential::new(token))).await
}

#[tokio::test]
async fn an_unchanged_registry_costs_one_304_each_thirty_seconds() {
    let server = Server::start(Behaviour::Proper(state("a", "v-1", None))).await;
    let (gate, clock) = server.gate();
    for _ in 0..3 {
        assert_eq!(check_as(&gate, "a", "Bearer a").await, Verdict::Open);
        assert_eq!(check_as(&gate, "a", "Bearer a").await, Verdict::Open);
        clock.advance(30);
    }
    server.behave(Behaviour::Proper(state("a", "v-2", Some(Reason::DependencyOff))));
    assert_eq!(check_as(&gate, "a", "Bearer a").await, off(Reason::DependencyOff));
    let known = || Some("\"v-1\"".to_owned());
    assert_eq!(server.asked(), [(None, None, 200), (None, known(), 304), (None, known(), 304), (None, known(), 200)]);
}

#[tokio::test]
async fn a_service_token_reads_the_organisation_that_is_asked_about() {
    let org_id = "org|1 &orgId=b/ü";
    let server = Server::start(Behaviour::Proper(state(org_id, "1", None))).await;
    let source = HttpSource::new(&server.url).unwrap();
    let (gate, _) = gate(source.with_service_token(|| async { Ok(Credential::new("Bearer admin")) }));
    assert_eq!(check(&gate, org_id).await, Verdict::Open);
    assert_eq!(server.asked(), [(Some("orgId=org%7C1%20%26orgId%3Db%2F%C3%BC".to_owned()), None, 200)]);
}

#[tokio::test]
async fn without_a_credential_nothing_is_asked() {
    let server = Server::start(Behaviour::Proper(state("a", "1", None))).await;
    let (forwarding, _) = server.gate();
    assert_eq!(check(&forwarding, "a").await, UNKNOWN);
    assert_eq!(check_as(&forwarding, "b", "Bearer a\r\nx-injected: 1").await, UNKNOWN);
    let source = HttpSource::new(&server.url).unwrap();
    let (gate, _) = gate(source.with_service_token(|| async { Err("the secret is not readable".to_owned()) }));
    assert_eq!(check(&gate, "a").await, UNKNOWN);
    assert_eq!(server.asked(), []);
}

#[tokio::test]
async fn an_answer_of_401_or_403_is_about_the_credential_and_others_are_not() {
    for (status, about_it) in [
        (StatusCode::UNAUTHORIZED, true),
        (StatusCode::FORBIDDEN, true),
        (StatusCode::NOT_FOUND, false),
        (StatusCode::TOO_MANY_REQUESTS, false),
        (StatusCode::SERVICE_UNAVAILABLE, false),
    ] {
        let server = Server::start(Behaviour::Status(status)).await;
        let source = HttpSource::new(&server.url).unwrap();
        let error = source.read("a", Some(&Credential::new("Bearer a")), None).await.unwrap_err();
        assert_eq!(matches!(error, ReadError::Credential(_)), about_it, "{status}: {error}");
    }
}

/// Every kind of trouble: closed without a snapshot, the last answer with one, closed again after the bound.
#[tokio::test]
async fn trouble_is_answered_from_what_is_known() {
    let oversized = json!({"version": "x".repeat(1024 * 1024), "orgId": "a", "modules": []}).to_string();
    let foreign = serde_json::to_string(&state("b", "2", None)).unwrap();
    for trouble in [
        Behaviour::Status(StatusCode::INTERNAL_SERVER_ERROR),
        Behaviour::Status(StatusCode::UNAUTHORIZED),
        Behaviour::Status(StatusCode::NO_CONTENT),
        Behaviour::Status(StatusCode::FOUND),
        Behaviour::Body(String::new()),
        Behaviour::Body("<html>".into()),
        Behaviour::Body("[".repeat(10_000)),
        Behaviour::Body(json!({"version": "2", "orgId": "a"}).to_string()),
        Behaviour::Body(json!({"version": "2", "orgId": "a", "modules": [{"name": MODULE}]}).to_string()),
        Behaviour::Body(foreign),
        Behaviour::Body(oversized),
    ] {
        let server = Server::start(trouble.clone()).await;
        let (gate, clock) = server.gate();
        assert_eq!(check_as(&gate, "a", "Bearer a").await, UNKNOWN);
        server.behave(Behaviour::Proper(state("a", "1", None)));
        clock.advance(1);
        assert_eq!(check_as(&gate, "a", "Bearer a").await, Verdict::Open);
        server.behave(trouble);
        clock.advance(30);
        assert_eq!(check_as(&gate, "a", "Bearer a").await, Verdict::Open);
        clock.advance(270);
        assert_eq!(check_as(&gate, "a", "Bearer a").await, UNKNOWN);
    }
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_no_answer() {
    let server = Server::start(Behaviour::NotModified).await;
    assert_eq!(check_as(&server.gate().0, "a", "Bearer a").await, UNKNOWN);
    // A version that fits into no header cannot be asked about either.
    server.behave(Behaviour::Body(serde_json::to_string(&state("a", "v\n1", None)).unwrap()));
    let (gate, clock) = server.gate();
    assert_eq!(check_as(&gate, "a", "Bearer a").await, Verdict::Open);
    server.behave(Behaviour::NotModified);
    clock.advance(300);
    assert_eq!(check_as(&gate, "a", "Bearer a").await, UNKNOWN);
}

#[tokio::test]
async fn a_server_that_hangs_or_is_not_there_holds_nobody() {
    let server = Server::start(Behaviour::Hang).await;
    let before = std::time::Instant::now();
    assert_eq!(check_as(&server.gate().0, "a", "Bearer a").await, UNKNOWN);
    assert!(before.elapsed() >= Duration::from_secs(2), "the limit was waited for");

    // Nobody listens on a port that was bound and let go.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (gate, _) = gate(HttpSource::new(&format!("http://{free}")).unwrap());
    assert_eq!(check_as(&gate, "a", "Bearer a").await, UNKNOWN);
}

/// The server's certificate is valid for its name, but nobody has vouched for it.
#[tokio::test]
async fn a_certificate_that_no_known_root_signed_is_refused() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let handshake = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        acceptor.accept(stream).await.map(drop).map_err(|error| error.to_string())
    });
    let source = HttpSource::new(&format!("https://localhost:{port}")).unwrap();
    let error = source.read("a", Some(&Credential::new("Bearer a")), None).await.unwrap_err().to_string();
    assert!(error.contains("UnknownIssuer"), "{error}");
    assert!(handshake.await.unwrap().is_err());
}
