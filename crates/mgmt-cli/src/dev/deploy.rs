//! What the local platform consists of: its functions, and the rules and queue between them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use utoipa::openapi::OpenApi;

use super::aws::{Aws, NewFunction};
use super::http_api::{self, HttpApi};
use super::package;
use super::postgres::LOGIN_PASSWORD;
use crate::output::progress;

/// The namespace of the rules; `mgmt_common::schedule::name` has the grammar.
pub(crate) const PROJECT: &str = "module-mgmt";
pub(crate) const ENVIRONMENT: &str = "local";
/// The functions that a schedule may keep warm here.
pub(crate) const SAMPLES: [&str; 3] = ["sample-orders", "sample-invoices", "sample-reports"];
const SAMPLE_EXECUTABLE: &str = "warmed-function";
/// How long every ping is held. Pings that start together on two busy cores must all be under way before the first ends,
/// or one instance would answer two of them.
const HOLD_MS: u32 = 1_000;

/// A function of this project.
struct Function {
    name: &'static str,
    description: &'static str,
    /// The workspace member it is built from.
    executable: &'static str,
    settings: fn(&Place<'_>) -> Vec<(&'static str, String)>,
    timeout_seconds: u32,
    /// Its routes, where it serves HTTP.
    openapi: Option<fn() -> OpenApi>,
    /// When it runs by itself.
    rule: Option<(&'static str, &'static str)>,
}

/// Callees come first, as their ARNs are settings of their callers.
const FUNCTIONS: [Function; 3] = [
    Function {
        name: "module-mgmt-local-lambda-warmer",
        description: "Pings the functions of the schedule at every due tick.",
        executable: "lambda-warmer",
        settings: |place| [database(place, "worker"), namespace(), vec![("HOLD_MS", HOLD_MS.to_string())]].concat(),
        timeout_seconds: 60,
        openapi: None,
        rule: None,
    },
    Function {
        name: "module-mgmt-local-lambda-config",
        description: "Platform configs over HTTP.",
        executable: "lambda-config",
        settings: |place| [database(place, "request"), namespace(), rules(place)].concat(),
        timeout_seconds: 29,
        openapi: Some(lambda_config::openapi),
        rule: None,
    },
    Function {
        name: "module-mgmt-local-lambda-config-background",
        description: "Reconciles the rules with the schedule, hourly.",
        executable: "lambda-config",
        settings: |place| [database(place, "worker"), namespace(), rules(place)].concat(),
        timeout_seconds: 60,
        openapi: None,
        rule: Some(("module-mgmt-local-reconcile", "rate(1 hour)")),
    },
];

/// What the functions' settings depend on.
struct Place<'a> {
    endpoint: &'a str,
    database_port: u16,
    database: &'a str,
    dead_letter_arn: &'a str,
    /// The ARNs of the functions made so far, by name.
    arns: &'a BTreeMap<&'static str, String>,
}

/// Deploys everything to an empty account and answers the HTTP API's id.
pub(crate) async fn deploy(aws: &Aws, database_port: u16, database: &str, issuer: &str) -> Result<String> {
    upload_packages(aws).await?;
    let dead_letter_arn = aws.create_queue("module-mgmt-local-dead-ticks").await?;
    let api = HttpApi::create(aws, issuer).await?;
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
                environment: (function.settings)(&place),
                timeout_seconds: function.timeout_seconds,
            })
            .await?;
        if let Some(openapi) = function.openapi {
            api.add_routes(&http_api::routes(&openapi())?, &arn).await?;
        } else {
            aws.never_retry(function.name, &dead_letter_arn).await?;
        }
        if let Some((rule, expression)) = function.rule {
            aws.put_rule(rule, expression, &arn).await?;
            // MiniStack starts with an empty bus, while the database may hold a schedule of an earlier day.
            aws.tick(function.name).await?;
        }
        arns.insert(function.name, arn);
    }
    for name in SAMPLES {
        progress(&format!("deploying {name}"));
        let description = "A sample function that answers warm pings.";
        let package = SAMPLE_EXECUTABLE;
        aws.create_function(&NewFunction { name, description, package, environment: Vec::new(), timeout_seconds: 10 })
            .await?;
    }
    Ok(api.id)
}

/// Each executable once, however many functions run it.
async fn upload_packages(aws: &Aws) -> Result<()> {
    aws.create_bucket().await?;
    let executables: BTreeSet<&str> =
        FUNCTIONS.iter().map(|function| function.executable).chain([SAMPLE_EXECUTABLE]).collect();
    for name in executables {
        progress(&format!("uploading {name}"));
        aws.upload_package(name, package::zip(&package::executable(name)?)?).await?;
    }
    Ok(())
}

/// The names of everything deployed.
pub(crate) fn function_names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name).chain(SAMPLES)
}

fn database(place: &Place<'_>, role: &str) -> Vec<(&'static str, String)> {
    let Place { database_port, database, .. } = place;
    let url = format!("postgres://module_mgmt_{role}_login:{LOGIN_PASSWORD}@127.0.0.1:{database_port}/{database}");
    vec![
        ("DATABASE_URL", url),
        ("DATABASE_ROLE", role.to_owned()),
        // Every function here calls AWS, and MiniStack is where AWS is.
        ("AWS_ENDPOINT_URL", place.endpoint.to_owned()),
    ]
}

fn namespace() -> Vec<(&'static str, String)> {
    vec![("PROJECT", PROJECT.to_owned()), ("ENVIRONMENT", ENVIRONMENT.to_owned())]
}

fn rules(place: &Place<'_>) -> Vec<(&'static str, String)> {
    let warmer = place.arns.get("module-mgmt-local-lambda-warmer").cloned().unwrap_or_default();
    vec![("WARMER_FUNCTION_ARN", warmer), ("DEAD_LETTER_ARN", place.dead_letter_arn.to_owned())]
}
