//! From `exec` to the first request for an event, each function beside the smallest lambda_runtime binary.

use std::path::Path;

use anyhow::{Context as _, Result};
use mgmt_testkit::runtime_api::FunctionProcess;

use crate::row::{Row, median};

const ROUNDS: usize = 41;
pub(crate) const FUNCTIONS: [&str; 4] = ["lambda-config", "lambda-warmer", "module-registry", "module-usage"];

/// What a deployed function has; nothing listens at the addresses, because a start must reach nothing.
const VARIABLES: [(&str, &str); 9] = [
    ("DATABASE_URL", "postgres://u:p@db.example.supabase.co:6543/postgres"),
    ("DATABASE_ROLE", "worker"),
    ("PROJECT", "shop"),
    ("ENVIRONMENT", "prod"),
    ("WARMER_FUNCTION_ARN", "arn:aws:lambda:eu-central-1:123456789012:function:warmer"),
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "AKIATEST"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_SESSION_TOKEN", "token"),
];

pub(crate) async fn measure(folder: &Path) -> Result<Vec<Row>> {
    let mut hello = Vec::new();
    let mut ours = vec![Vec::new(); FUNCTIONS.len()];
    // Taken in turns, so that a slow moment of the machine meets all of them.
    for _ in 0..ROUNDS {
        hello.push(start(&folder.join("hello-function")).await?);
        for (name, times) in FUNCTIONS.iter().zip(&mut ours) {
            times.push(start(&folder.join(name)).await?);
        }
    }
    let hello = median(hello);
    let row = |(name, times): (&&str, Vec<f64>)| {
        let own = median(times);
        Row {
            what: format!("exec to first poll: {name} / hello world"),
            measured: format!("{own:.2} ms / {hello:.2} ms, median of {ROUNDS}"),
            ratio: format!("{:.2}", own / hello),
            promise: "<= 1.3",
        }
    };
    Ok(FUNCTIONS.iter().zip(ours).map(row).collect())
}

/// Milliseconds from `exec` to the first request for an event.
pub(crate) async fn start(binary: &Path) -> Result<f64> {
    let function = FunctionProcess::start(binary, &VARIABLES).await;
    let function = function.with_context(|| format!("{} does not start", binary.display()))?;
    Ok(function.start_up.as_secs_f64() * 1000.0)
}
