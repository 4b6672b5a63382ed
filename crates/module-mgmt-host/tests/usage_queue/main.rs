//! Records on their way to the usage queue, against a server that answers as SQS does.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use mgmt_testkit::droppable_server::DroppableServer;
use module_mgmt_host::usage::{DEFAULT_PATIENCE, QueueSink, UsageRecorder, UsageSpan, UseOutcome};
use module_mgmt_protocol::caller::ClaimNames;
use module_mgmt_protocol::usage::EventType;
use serde_json::{Value, json};

/// Longer than a loaded machine takes; no test waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

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

/// The host's own client, as its `main` would make it.
fn client(server: &DroppableServer) -> Client {
    client_of(server.url())
}

fn client_of(url: impl Into<String>) -> Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("AKIATEST", "secret", None, None, "test"))
        .retry_config(RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(20)))
        .endpoint_url(url)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    Client::from_conf(config.build())
}

fn recorder(server: &DroppableServer) -> UsageRecorder {
    recorder_with(client(server), PATIENCE)
}

fn recorder_with(client: Client, patience: Duration) -> UsageRecorder {
    let sink = QueueSink::new(move |body| {
        let url = "https://sqs.eu-central-1.amazonaws.com/123456789012/usage";
        let sending = client.send_message().queue_url(url).message_body(body).send();
        async move { sending.await.map(drop) }
    });
    UsageRecorder::with("module-orders", sink, patience, ClaimNames::default())
}

#[tokio::test]
async fn a_record_is_one_message_that_the_control_plane_reads() {
    let (server, sent) = queue(Vec::new()).await;
    let recorder = recorder(&server);
    recorder
        .record("org-a", "auth0|1", UsageSpan::begin(EventType::Export), UseOutcome::Failure("too_large".into()))
        .await;
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
    one.record("o", "u", UsageSpan::begin(EventType::ApiCall), UseOutcome::Success).await;
    assert_eq!(one.unsent(), 0);
    let bodies: Vec<String> = sent.lock().unwrap().iter().map(|sent| sent["MessageBody"].to_string()).collect();
    assert_eq!((bodies.len(), &bodies[0]), (2, &bodies[1]));

    let (server, _) = queue(vec![403, 403]).await;
    let refused = recorder(&server);
    refused.record("o", "u", UsageSpan::begin(EventType::ApiCall), UseOutcome::Success).await;
    assert_eq!(refused.unsent(), 1);
    let gone = recorder(&server);
    drop(server);
    gone.record("o", "u", UsageSpan::begin(EventType::ApiCall), UseOutcome::Success).await;
    assert_eq!(gone.unsent(), 1);
}

/// A queue that accepts connections and never answers. Five hundred responses that wait for 150 ms take more than a minute.
#[tokio::test]
async fn a_queue_that_hangs_holds_one_response_for_150_ms_and_none_in_the_next_second() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let recorder = recorder_with(client_of(url), DEFAULT_PATIENCE);
    let record = async || {
        let before = Instant::now();
        recorder.record("o", "u", UsageSpan::begin(EventType::ApiCall), UseOutcome::Success).await;
        before.elapsed()
    };
    let first = record().await;
    assert!((DEFAULT_PATIENCE..Duration::from_millis(1_500)).contains(&first), "{first:?}");
    let before = Instant::now();
    for _ in 0..500 {
        record().await;
    }
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
    assert_eq!(recorder.unsent(), 501);
}
