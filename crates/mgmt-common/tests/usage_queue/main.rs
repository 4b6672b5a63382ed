//! Records on their way to the usage queue, against a server that answers as SQS does.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use mgmt_common::aws::AwsSettings;
use mgmt_common::host::usage::{Ended, QueueSink, UsageRecorder, Use};
use mgmt_testkit::droppable_server::DroppableServer;
use serde_json::{Value, json};

/// Answers with these statuses in turn, and keeps what was sent.
async fn queue(statuses: Vec<u16>) -> (DroppableServer, Arc<Mutex<Vec<Value>>>) {
    let (sent, statuses) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(statuses)));
    let kept = Arc::clone(&sent);
    let router = Router::new().fallback(move |headers: HeaderMap, body: String| {
        let (kept, statuses) = (Arc::clone(&kept), Arc::clone(&statuses));
        async move {
            assert_eq!(headers["x-amz-target"], "AmazonSQS.SendMessage");
            kept.lock().unwrap().push(serde_json::from_str(&body).unwrap());
            let status = statuses.lock().unwrap().pop().unwrap_or(200);
            let answer = json!({"MessageId": "m", "MD5OfMessageBody": "x", "__type": "x", "message": "no"});
            (StatusCode::from_u16(status).unwrap(), answer.to_string())
        }
    });
    (DroppableServer::start(router).await.unwrap(), sent)
}

fn recorder(server: &DroppableServer) -> UsageRecorder {
    let aws = AwsSettings {
        region: "eu-central-1".into(),
        access_key_id: "AKIATEST".into(),
        secret_access_key: "secret".into(),
        session_token: None,
        endpoint_url: Some(server.url()),
    };
    UsageRecorder::for_module(
        "module-orders",
        QueueSink::new(aws, "https://sqs.eu-central-1.amazonaws.com/123456789012/usage"),
    )
}

#[tokio::test]
async fn a_record_is_one_message_that_the_control_plane_reads() {
    let (server, sent) = queue(Vec::new()).await;
    let recorder = recorder(&server);
    recorder.record("org-a", "auth0|1", Use::begin("export"), Ended::Badly("too_large".into())).await;
    assert_eq!(recorder.unsent(), 0);
    let sent = sent.lock().unwrap();
    assert_eq!(sent[0]["QueueUrl"], "https://sqs.eu-central-1.amazonaws.com/123456789012/usage");
    let message: Value = serde_json::from_str(sent[0]["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!((&message["orgId"], &message["userId"]), (&json!("org-a"), &json!("auth0|1")));
    assert_eq!(
        (&message["event"]["eventType"], &message["event"]["errorCode"]),
        (&json!("export"), &json!("too_large"))
    );
}

#[tokio::test]
async fn a_passing_fault_is_repeated_with_the_same_id_and_a_refusal_is_counted() {
    let (server, sent) = queue(vec![500]).await;
    let one = recorder(&server);
    one.record("o", "u", Use::begin("api_call"), Ended::Well).await;
    assert_eq!(one.unsent(), 0);
    let bodies: Vec<String> = sent.lock().unwrap().iter().map(|sent| sent["MessageBody"].to_string()).collect();
    assert_eq!((bodies.len(), &bodies[0]), (2, &bodies[1]));

    let (server, _) = queue(vec![403, 403]).await;
    let refused = recorder(&server);
    refused.record("o", "u", Use::begin("api_call"), Ended::Well).await;
    assert_eq!(refused.unsent(), 1);
    let gone = recorder(&server);
    drop(server);
    gone.record("o", "u", Use::begin("api_call"), Ended::Well).await;
    assert_eq!(gone.unsent(), 1);
}
