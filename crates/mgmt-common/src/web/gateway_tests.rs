use axum::body::Body;
use axum::http::Request;
use module_mgmt_protocol::caller::{Caller, ClaimNames};
use serde_json::{Value, json};

use super::super::event::Event;
use super::{HttpEvent, uri};
use crate::web::error::{Error, Result};

fn event(change: impl FnOnce(&mut Value)) -> HttpEvent {
    let mut event = json!({
        "version": "2.0", "rawPath": "/platform/health", "rawQueryString": "", "headers": {},
        "requestContext": {"stage": "$default", "requestId": "r1", "http": {"method": "GET"}},
    });
    change(&mut event);
    match Event::read(&event.to_string()).unwrap() {
        Event::Http(event) => *event,
        other => panic!("{other:?}"),
    }
}

fn request(change: impl FnOnce(&mut Value)) -> Result<Request<Body>> {
    event(change).into_request(&ClaimNames::default(), 1000)
}

#[test]
fn strange_paths_are_refused_before_routing() {
    for path in [
        "/platform/%2e%2e/health",
        "/platform/../health",
        "/a/./b",
        "/a\\b",
        "/a%5cb",
        "//platform",
        "/platform//health",
        "/platform/health/",
        "/health%3Fadmin=true",
        "/health?admin=true",
        "/health%23",
        "/a%00",
        "/a\0",
        "/a\nb",
        "/a%0ab",
        "/a%2Fb",
        "/a%252Fb",
        "/%ff",
        "platform",
        "",
    ] {
        assert!(matches!(uri(path, ""), Err(Error::Malformed { .. })), "{path:?}");
    }
    assert_eq!(uri("/", "").unwrap().to_string(), "/");
    assert_eq!(uri("/orgs/auth0|1/müll", "a=b c").unwrap().to_string(), "/orgs/auth0%7C1/m%C3%BCll?a=b%20c");
    assert_eq!(uri("/orgs/auth0%7C1", "").unwrap().to_string(), "/orgs/auth0%7C1");
}

#[test]
fn a_named_stage_is_not_part_of_the_path() {
    let staged = |path: &str| {
        event(|e| {
            e["rawPath"] = path.into();
            e["requestContext"]["stage"] = "prod".into();
        })
    };
    assert_eq!(staged("/prod/platform/health").path(), "/platform/health");
    assert_eq!(staged("/prod").path(), "/");
    assert_eq!(staged("/production/x").path(), "/production/x");
    assert_eq!(staged("/platform/health").path(), "/platform/health");
}

#[test]
fn a_base64_body_is_decoded_and_a_bad_one_is_refused() {
    let body = |text: &str| {
        let text = text.to_owned();
        request(move |e| {
            e["body"] = text.into();
            e["isBase64Encoded"] = true.into();
        })
    };
    assert!(body("e30=").is_ok());
    assert!(matches!(body("%%%"), Err(Error::Malformed { .. })));
}

#[test]
fn too_large_requests_are_refused() {
    let large = request(|e| e["body"] = "x".repeat(1001).into());
    assert!(matches!(large, Err(Error::TooLarge { limit_bytes: 1000 })));
    let headers = request(|e| e["headers"]["x-big"] = "x".repeat(20_000).into());
    assert!(matches!(headers, Err(Error::TooLarge { .. })));
}

#[test]
fn an_odd_header_or_host_is_no_panic() {
    assert!(request(|e| e["headers"]["host"] = "exa mple:99999999".into()).is_ok());
    assert!(matches!(request(|e| e["headers"]["x-a"] = "a\nb".into()), Err(Error::Malformed { .. })));
    assert!(matches!(request(|e| e["headers"]["a b"] = "c".into()), Err(Error::Malformed { .. })));
}

#[test]
fn nothing_about_authority_comes_from_headers() {
    let sent = request(|e| {
        e["headers"]["x-is-platform-admin"] = "true".into();
        e["headers"]["authorization"] = "Bearer is_platform_admin".into();
        e["rawQueryString"] = "is_platform_admin=true&sub=u&org_id=o".into();
    });
    assert!(sent.unwrap().extensions().get::<Caller>().is_none());
}
