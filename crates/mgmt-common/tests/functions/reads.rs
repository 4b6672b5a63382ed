//! Reads: paging is hidden, errors name the action.

use std::time::Instant;

use mgmt_common::aws::{AwsErrorKind, AwsSettings, CallLimits, sdk_config};
use mgmt_common::functions::AccountConcurrency;
use mgmt_testkit::lambda_api::{FakeFunction, LambdaFake};

use crate::{functions, functions_at};

#[tokio::test]
async fn all_pages_are_listed_sorted_and_filtered_by_prefix() {
    let fake = LambdaFake::start().await.unwrap();
    for number in (0..120).rev() {
        fake.add(FakeFunction::new(&format!("shop-{number:03}")));
        fake.add(FakeFunction::new(&format!("other-{number:03}")));
    }
    fake.add(FakeFunction::new("shop-orders").described("Takes orders", 512));
    let listed = functions(&fake).list("shop-").await.unwrap();
    assert_eq!(listed.len(), 121);
    assert!(listed.is_sorted_by(|one, other| one.name < other.name));
    assert_eq!(fake.count("lambda:ListFunctions"), 5, "241 functions in pages of 50");
    let orders = serde_json::to_value(&listed[120]).unwrap();
    assert_eq!(
        orders,
        serde_json::json!({
            "name": "shop-orders", "arn": "arn:aws:lambda:eu-central-1:123456789012:function:shop-orders",
            "runtime": "provided.al2023", "memoryMb": 512, "timeoutSeconds": 30, "architectures": ["arm64"],
            "lastModified": "2026-01-02T03:04:05.000+0000", "description": "Takes orders", "handler": "bootstrap",
            "version": "$LATEST",
        })
    );
    assert_eq!(functions(&fake).list("").await.unwrap().len(), 241);
    assert_eq!(fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn concurrency_and_code_hash_are_read() {
    let fake = LambdaFake::start().await.unwrap();
    fake.add(FakeFunction::new("free").with_qualifier("live"));
    fake.add(FakeFunction::new("bound").with_reserved_concurrency(7));
    fake.set_account_concurrency(1000, 893);
    let functions = functions(&fake);
    assert_eq!(functions.reserved_concurrency("free").await, Ok(None));
    assert_eq!(functions.reserved_concurrency("bound").await, Ok(Some(7)));
    assert_eq!(functions.account_concurrency().await, Ok(AccountConcurrency { total: 1000, unreserved: 893 }));
    assert_eq!(functions.code_sha256("free", Some("live")).await, Ok(Some("sha256-of-free".to_owned())));
    let missing = functions.code_sha256("free", Some("blue")).await.unwrap_err();
    assert_eq!((missing.kind, missing.action), (AwsErrorKind::NotFound, "lambda:GetFunctionConfiguration"));
    assert_eq!(fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_denied_read_names_action_and_arn_and_is_not_retried() {
    let fake = LambdaFake::start().await.unwrap();
    fake.deny("lambda:ListFunctions");
    fake.deny("lambda:GetFunctionConcurrency");
    let functions = functions(&fake);
    let denied = functions.list("").await.unwrap_err();
    assert_eq!(denied.kind, AwsErrorKind::Denied);
    assert!(denied.to_string().starts_with("lambda:ListFunctions failed with AccessDeniedException"), "{denied}");
    let denied = functions.reserved_concurrency("orders").await.unwrap_err().to_string();
    for part in ["lambda:GetFunctionConcurrency on orders", "arn:aws:lambda:eu-central-1:123456789012:function:orders"]
    {
        assert!(denied.contains(part), "{denied} lacks {part}");
    }
    assert_eq!(fake.count("lambda:ListFunctions"), 1);
}

#[tokio::test]
async fn an_unreachable_endpoint_is_told_apart() {
    // With TLS, too: the compiled-in roots must have been taken by then.
    for url in ["http://127.0.0.1:9", "https://127.0.0.1:9"] {
        let begin = Instant::now();
        let error = functions_at(url).list("").await.unwrap_err();
        println!("{url}: first call failed after {:?}", begin.elapsed());
        assert_eq!((error.kind, error.action), (AwsErrorKind::Unreachable, "lambda:ListFunctions"));
    }
}

#[test]
fn secrets_never_reach_a_debug_line() {
    let aws = AwsSettings {
        region: "eu-central-1".to_owned(),
        access_key_id: "AKIATEST".to_owned(),
        secret_access_key: "very-secret".to_owned(),
        session_token: Some("very-secret-too".to_owned()),
        endpoint_url: None,
    };
    let line = format!("{aws:?} {:?}", sdk_config(&aws, &CallLimits::default()));
    assert!(!line.contains("very-secret"), "{line}");
}
