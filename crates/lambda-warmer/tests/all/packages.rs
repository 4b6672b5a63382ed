//! The payloads of other libraries, held against those libraries themselves, run under Node.

use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mgmt_testkit::lambda_api::{Answer, FakeFunction};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::bed::Bed;

/// Runs a script beside the installed packages.
async fn node(script: &str, input: &Value) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/packages");
    assert!(
        std::path::Path::new(folder).join("node_modules").exists(),
        "the packages are not installed: run npm ci in crates/lambda-warmer/tests/packages, or scripts/test"
    );
    let mut command = Command::new("node");
    command.arg(script).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("node is installed");
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{script} failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn the_lambda_warmer_package_takes_our_pings_as_its_own_and_never_fans_out() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders").answering(Answer::Raw(json!("warmed"))));
    bed.always(json!([{"name": "orders", "concurrency": 3, "payload": "lambda-warmer"}])).await;
    let answer = bed.tick().await;
    let orders = &answer["report"]["functions"][0];
    assert_eq!((&orders["reached"], &orders["unique"], &orders["state"]), (&json!(3), &Value::Null, &json!("warm")));

    let sent = bed.lambda.counters("orders").payloads;
    assert_eq!(sent.len(), 3);
    for received in node("receive.mjs", &json!(sent)).await.as_array().unwrap() {
        assert_eq!((&received["answered"], &received["fannedOut"]), (&json!(true), &json!(0)), "{received}");
        // The package holds an instance for 75 ms, so that pings which start together meet different instances.
        assert!(received["heldMs"].as_u64().unwrap() >= 70, "{received}");
    }
}

#[tokio::test]
async fn a_serverless_plugin_warmup_ping_equals_what_the_generated_warmer_sends() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders").answering(Answer::Raw(json!("ok"))));
    bed.always(json!([{"name": "orders", "concurrency": 2, "payload": "serverless-plugin-warmup"}])).await;
    bed.tick().await;
    let ours = bed.lambda.counters("orders");

    let theirs = node("generate.cjs", &Value::Null).await;
    let theirs = theirs.as_array().unwrap();
    assert_eq!(ours.payloads.len(), theirs.len());
    for ((payload, context), sent) in ours.payloads.iter().zip(&ours.client_contexts).zip(theirs) {
        assert_eq!(*payload, serde_json::from_str::<Value>(sent["Payload"].as_str().unwrap()).unwrap());
        let their_context = STANDARD.decode(sent["ClientContext"].as_str().unwrap()).unwrap();
        assert_eq!(*context, Some(serde_json::from_slice::<Value>(&their_context).unwrap()));
        assert_eq!((&sent["InvocationType"], &sent["LogType"]), (&json!("RequestResponse"), &json!("None")));
    }
}

#[tokio::test]
async fn any_other_payload_is_sent_as_it_is() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders").with_qualifier("live").answering(Answer::Raw(json!(null))));
    let payload = json!({"method": "GET", "path": "/warm"});
    bed.always(json!([{"name": "orders", "qualifier": "live", "payload": payload}])).await;
    bed.tick().await;
    let counters = bed.lambda.counters("orders");
    assert_eq!(counters.payloads, [payload]);
    assert_eq!(counters.qualifiers, [Some("live".to_owned())]);
    assert_eq!(counters.client_contexts, [None]);
}
