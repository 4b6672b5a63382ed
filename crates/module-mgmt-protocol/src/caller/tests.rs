use serde_json::{Value, json};

use super::{Authorizer, Caller, ClaimNames};

fn read(authorizer: Value) -> Option<Caller> {
    let authorizer: Authorizer = serde_json::from_value(authorizer).unwrap();
    Caller::from_authorizer(&authorizer, &ClaimNames::default())
}

fn caller(claims: &Value) -> Option<Caller> {
    read(json!({ "jwt": { "claims": claims } }))
}

#[test]
fn a_caller_needs_a_user_and_an_organisation() {
    let full = json!({"sub": "auth0|1", "org_id": "org-a"});
    assert_eq!(caller(&full).unwrap().user_id, "auth0|1");
    for broken in [
        json!({"org_id": "org-a"}),
        json!({"sub": "u"}),
        json!({"sub": "", "org_id": "org-a"}),
        json!({"sub": "[a b]", "org_id": "org-a"}),
        json!({"sub": "u", "org_id": "map[a:b]"}),
        json!({"sub": 7, "org_id": "org-a"}),
        json!({"sub": "u\n", "org_id": "org-a"}),
        json!({"sub": "u".repeat(201), "org_id": "org-a"}),
        json!({"sub": "u", "org_id": "org-a", "role": "service_role"}),
        json!({"sub": "u", "org_id": "org-a", "role": "anon"}),
        json!({"sub": "u", "org_id": "org-a", "is_anonymous": true}),
        json!({"sub": "u", "org_id": "org-a", "is_anonymous": "true"}),
    ] {
        assert_eq!(caller(&broken), None, "{broken}");
    }
}

#[test]
fn no_claim_trick_grants_anything() {
    for trick in [
        json!("[true]"),
        json!("[member platform_owner]"),
        json!("map[is_platform_admin:true]"),
        json!(["true"]),
        json!({"is_platform_admin": true}),
        json!("TRUE"),
        json!(" true"),
        json!(1),
        json!("1"),
        Value::Null,
    ] {
        let claims = json!({
            "sub": "u", "org_id": "o", "is_platform_admin": trick, "is_org_admin": trick,
            "user_metadata": {"is_platform_admin": true}, "roles": "[member platform_owner]",
            "scope": "platform_admin is_platform_admin",
        });
        let caller = caller(&claims).unwrap();
        assert!(!caller.is_platform_admin && !caller.is_org_admin, "{trick}");
    }
    let flattened = json!({"sub": "u", "org_id": "o", "permissions": "[modules.read modules.write]"});
    assert!(caller(&flattened).unwrap().permissions.is_empty());
}

#[test]
fn a_lambda_authorizers_typed_context_wins() {
    let authorizer = json!({
        "lambda": {"sub": "typed", "org_id": "o", "is_platform_admin": false},
        "jwt": {"claims": {"sub": "string", "org_id": "o", "is_platform_admin": "true"}},
    });
    let caller = read(authorizer).unwrap();
    assert_eq!((caller.user_id.as_str(), caller.is_platform_admin), ("typed", false));
}

#[test]
fn huge_claims_grant_nothing_and_break_nothing() {
    let claims = json!({"sub": "u", "org_id": "o", "groups": "x".repeat(200_000), "is_platform_admin": "[true true]"});
    assert!(!caller(&claims).unwrap().is_platform_admin);
}

#[test]
fn an_authorizer_of_another_shape_says_nothing_and_is_no_error() {
    for odd in [
        json!(null),
        json!("x"),
        json!([1]),
        json!({}),
        json!({"lambda": null}),
        json!({"lambda": "x"}),
        json!({"jwt": null}),
        json!({"jwt": 7}),
        json!({"jwt": {"claims": null, "scopes": null}}),
        json!({"jwt": {"claims": ["sub"]}}),
        json!({"iam": {"userId": "u"}}),
        json!([{"sub": "u", "org_id": "o"}]),
        json!({"jwt": [{"sub": "u", "org_id": "o"}]}),
    ] {
        assert_eq!(read(odd.clone()), None, "{odd}");
    }
    let claims = json!({"sub": "u", "org_id": "o", "n": 1.5, "list": [{"a": null}], "big": u64::MAX});
    assert!(read(json!({"lambda": null, "jwt": {"claims": claims, "scopes": null}})).is_some());
}
