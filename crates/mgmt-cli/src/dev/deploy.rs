//! What the local platform consists of: its functions, the rules and queue between them, and sample functions.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use utoipa::openapi::OpenApi;

use super::aws::{Aws, NewFunction, Runtime};
use super::http_api::{self, HttpApi};
use super::package;
use super::postgres::LOGIN_PASSWORD;
use super::samples::{self, SAMPLES};
use crate::output::progress;

/// The namespace of the rules; `mgmt_common::schedule::name` has the grammar.
pub(crate) const PROJECT: &str = "module-mgmt";
pub(crate) const ENVIRONMENT: &str = "local";
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
const FUNCTIONS: [Function; 4] = [
    Function {
        name: "module-mgmt-local-lambda-warmer",
        description: "Pings the functions of the schedule at every due tick.",
        executable: "lambda-warmer",
        settings: |place| {
            [database(place, "worker"), aws(place), namespace(), vec![("HOLD_MS", HOLD_MS.to_string())]].concat()
        },
        timeout_seconds: 60,
        openapi: None,
        rule: None,
    },
    Function {
        name: "module-mgmt-local-lambda-config",
        description: "Platform configs over HTTP.",
        executable: "lambda-config",
        settings: |place| [database(place, "request"), aws(place), namespace(), rules(place)].concat(),
        timeout_seconds: 29,
        openapi: Some(lambda_config::openapi),
        rule: None,
    },
    Function {
        name: "module-mgmt-local-lambda-config-background",
        description: "Reconciles the rules with the schedule, hourly.",
        executable: "lambda-config",
        settings: |place| [database(place, "worker"), aws(place), namespace(), rules(place)].concat(),
        timeout_seconds: 60,
        openapi: None,
        rule: Some(("module-mgmt-local-reconcile", "rate(1 hour)")),
    },
    Function {
        name: "module-mgmt-local-module-registry",
        description: "Modules, their dependencies and the menu over HTTP.",
        executable: "module-registry",
        settings: |place| database(place, "request"),
        timeout_seconds: 29,
        openapi: Some(module_registry::openapi),
        rule: None,
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

/// Deploys everything to an empty account and answers the HTTP API's id. `origin` is where people reach that API, and sign in.
pub(crate) async fn deploy(aws: &Aws, database_port: u16, database: &str, origin: &str) -> Result<String> {
    upload_packages(aws).await?;
    let dead_letter_arn = aws.create_queue("module-mgmt-local-dead-ticks").await?;
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

fn database(place: &Place<'_>, role: &str) -> Vec<(&'static str, String)> {
    let Place { database_port, database, .. } = place;
    let url = format!("postgres://module_mgmt_{role}_login:{LOGIN_PASSWORD}@127.0.0.1:{database_port}/{database}");
    vec![("DATABASE_URL", url), ("DATABASE_ROLE", role.to_owned())]
}

/// For functions that call AWS: MiniStack is where AWS is.
fn aws(place: &Place<'_>) -> Vec<(&'static str, String)> {
    vec![("AWS_ENDPOINT_URL", place.endpoint.to_owned())]
}

fn namespace() -> Vec<(&'static str, String)> {
    vec![("PROJECT", PROJECT.to_owned()), ("ENVIRONMENT", ENVIRONMENT.to_owned())]
}

fn rules(place: &Place<'_>) -> Vec<(&'static str, String)> {
    let warmer = place.arns.get("module-mgmt-local-lambda-warmer").cloned().unwrap_or_default();
    vec![("WARMER_FUNCTION_ARN", warmer), ("DEAD_LETTER_ARN", place.dead_letter_arn.to_owned())]
}
