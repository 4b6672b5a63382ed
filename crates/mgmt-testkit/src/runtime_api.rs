//! A harness that runs a real function binary: the Lambda Runtime API on loopback, for one process.
//!
//! Source: "Using the Lambda runtime API for custom runtimes" in the Lambda developer guide.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;

/// How long an invocation may take, as a function's timeout.
const INVOCATION_TIME: Duration = Duration::from_secs(30);

/// A running function. Dropping it ends the process.
pub struct FunctionProcess {
    /// From `exec` to the first request for an event.
    pub start_up: Duration,
    events: mpsc::Sender<Invocation>,
    count: u64,
    child: Child,
}

struct Invocation {
    id: String,
    event: String,
    answer: oneshot::Sender<Answer>,
}

/// What the function answered: its response, or the error document of a failed invocation.
pub type Answer = Result<Value, Value>;

struct Shared {
    events: Mutex<mpsc::Receiver<Invocation>>,
    open: Mutex<BTreeMap<String, oneshot::Sender<Answer>>>,
    first_poll: Mutex<Option<oneshot::Sender<Instant>>>,
}

impl FunctionProcess {
    /// Starts the binary with these variables and nothing else of this process's environment, and waits for its first
    /// request for an event.
    ///
    /// # Errors
    /// The binary cannot be started, ends early, or asks for no event within 10 seconds.
    pub async fn start(binary: &Path, variables: &[(&str, &str)]) -> std::io::Result<Self> {
        let (events, receiver) = mpsc::channel(1);
        let (first_poll, polled) = oneshot::channel();
        let shared = Arc::new(Shared {
            events: Mutex::new(receiver),
            open: Mutex::default(),
            first_poll: Mutex::new(Some(first_poll)),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .with_state(shared);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });

        let mut command = Command::new(binary);
        command.env_clear().kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        command.envs([
            ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "harness"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/harness"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
        ]);
        command.envs(variables.iter().copied());
        let started = Instant::now();
        let child = command.spawn()?;
        let polled = timeout(Duration::from_secs(10), polled).await.ok().and_then(Result::ok);
        let polled = polled.ok_or_else(|| std::io::Error::other("the function asked for no event"))?;
        Ok(Self { start_up: polled.duration_since(started), events, count: 0, child })
    }

    /// Milliseconds of processor time that the process has taken, to the clock tick (10 ms), on Linux.
    ///
    /// # Errors
    /// The process has ended, or the system does not tell.
    pub fn cpu_time_ms(&self) -> std::io::Result<f64> {
        let id = self.child.id().ok_or_else(|| std::io::Error::other("the function has ended"))?;
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
        // Behind the name, which may hold anything, the 12th and 13th fields are user and system time (man 5 proc).
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: Vec<f64> = fields.skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
        if ticks.len() == 2 { Ok((ticks[0] + ticks[1]) * 10.0) } else { Err(std::io::Error::other("no times in stat")) }
    }

    /// The most memory that the process has held, in bytes, on Linux.
    ///
    /// # Errors
    /// The process has ended, or the system does not tell.
    pub fn peak_memory_bytes(&self) -> std::io::Result<u64> {
        let id = self.child.id().ok_or_else(|| std::io::Error::other("the function has ended"))?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        kilobytes.map(|size| size * 1024).ok_or_else(|| std::io::Error::other("no peak in status"))
    }

    /// Hands the function one event and waits for its answer.
    ///
    /// # Errors
    /// The function ended, or took longer than 30 seconds.
    pub async fn invoke(&mut self, event: &Value) -> std::io::Result<Answer> {
        self.count += 1;
        let (answer, answered) = oneshot::channel();
        let invocation = Invocation { id: format!("request-{}", self.count), event: event.to_string(), answer };
        self.events.send(invocation).await.map_err(std::io::Error::other)?;
        match timeout(INVOCATION_TIME, answered).await {
            Ok(answer) => answer.map_err(std::io::Error::other),
            Err(_) => Err(std::io::Error::other("the invocation timed out")),
        }
    }
}

type Parts = (StatusCode, HeaderMap, String);

async fn next(State(shared): State<Arc<Shared>>) -> Parts {
    if let Some(first_poll) = shared.first_poll.lock().await.take() {
        // Nobody listens after a start that was given up.
        let _ = first_poll.send(Instant::now());
    }
    let Some(invocation) = shared.events.lock().await.recv().await else {
        return std::future::pending().await;
    };
    let mut headers = HeaderMap::new();
    let deadline = (SystemTime::now() + INVOCATION_TIME).duration_since(UNIX_EPOCH).unwrap_or_default();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", invocation.id.clone()),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:123456789012:function:harness".to_owned()),
    ] {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    }
    shared.open.lock().await.insert(invocation.id, invocation.answer);
    (StatusCode::OK, headers, invocation.event)
}

async fn response(State(shared): State<Arc<Shared>>, UrlPath(id): UrlPath<String>, body: String) -> StatusCode {
    close(&shared, &id, Ok(serde_json::from_str(&body).unwrap_or(Value::String(body)))).await
}

async fn error(State(shared): State<Arc<Shared>>, UrlPath(id): UrlPath<String>, body: String) -> StatusCode {
    close(&shared, &id, Err(serde_json::from_str(&body).unwrap_or(Value::String(body)))).await
}

async fn close(shared: &Shared, id: &str, answer: Answer) -> StatusCode {
    match shared.open.lock().await.remove(id) {
        // A caller that gave up waiting is no fault of the function.
        Some(waiting) => {
            let _ = waiting.send(answer);
            StatusCode::ACCEPTED
        }
        None => StatusCode::BAD_REQUEST,
    }
}
