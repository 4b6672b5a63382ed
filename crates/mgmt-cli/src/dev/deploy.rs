//! Deploys what the local platform consists of: its functions, the rules and queues between them, and sample functions.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::aws::{Aws, NewFunction, Runtime};
use super::functions::{FUNCTIONS, Place};
use super::http_api::{self, HttpApi};
use super::package;
use super::samples::{self, SAMPLES};
use crate::output::progress;

/// Deploys everything to an empty account and answers the HTTP API's id. `origin` is where people reach that API, and sign in.
pub(crate) async fn deploy(aws: &Aws, database_port: u16, database: &str, origin: &str) -> Result<String> {
    upload_packages(aws).await?;
    let dead_letter_arn = aws.create_queue("module-mgmt-local-dead-ticks", 30).await?;
    let api = HttpApi::create(aws, origin).await?;
    let mut arns = BTreeMap::new();
    for function in &FUNCTIONS {
        progress(&format!("deploying {}", function.name));
        let place =
            Place { endpoint: &aws.endpoint, database_port, database, dead_letter_arn: &dead_letter_arn, arns: &arns };
        let arn = aws
            .create_function(&NewFunction {
                name: function.name,
                description: function.description,
                package: function.executable,
                runtime: Runtime::Executable,
                environment: (function.settings)(&place),
                timeout_seconds: function.timeout_seconds,
            })
            .await?;
        if function.serves_routes {
            api.add_routes(&http_api::routes(function.executable)?, &arn).await?;
        } else {
            aws.never_retry(function.name, &dead_letter_arn).await?;
        }
        if let Some(queue) = function.queue {
            let queue_arn = aws.create_queue(queue, 6 * function.timeout_seconds).await?;
            aws.map_queue(&queue_arn, function.name).await?;
        }
        if let Some((rule, expression)) = function.rule {
            aws.put_rule(rule, expression, &arn).await?;
            // MiniStack starts with an empty bus, while the database may hold a schedule of an earlier day.
            aws.tick(function.name).await?;
        }
        arns.insert(function.name, arn);
    }
    samples::deploy(aws, &api, origin).await?;
    Ok(api.id)
}

/// Each executable once, however many functions run it.
async fn upload_packages(aws: &Aws) -> Result<()> {
    aws.create_bucket().await?;
    let executables: BTreeSet<&str> =
        FUNCTIONS.iter().map(|function| function.executable).chain(samples::executables()).collect();
    for name in executables {
        progress(&format!("uploading {name}"));
        aws.upload_package(name, package::zip_executable(&package::executable(name)?)?).await?;
    }
    samples::upload_sources(aws).await
}

/// The names of everything deployed.
pub(crate) fn function_names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name).chain(SAMPLES.iter().map(|sample| sample.name))
}
