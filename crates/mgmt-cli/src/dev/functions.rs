//! The functions of this project as the local platform deploys them.

use std::collections::BTreeMap;

use super::postgres::LOGIN_PASSWORD;

/// The namespace of the rules; `mgmt_common::schedule::name` has the grammar.
pub(crate) const PROJECT: &str = "module-mgmt";
pub(crate) const ENVIRONMENT: &str = "local";
/// Takes uses of modules from functions that do not wait for the API.
pub(crate) const USAGE_QUEUE: &str = "module-mgmt-local-usage";
/// The function that counts what the queue holds.
pub(crate) const USAGE_BACKGROUND: &str = "module-mgmt-local-module-usage-background";
/// How long every ping is held. Pings that start together on two busy cores must all be under way before the first ends,
/// or one instance would answer two of them.
const HOLD_MS: u32 = 1_000;

/// A function of this project.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    /// The workspace member it is built from.
    pub(super) executable: &'static str,
    pub(super) settings: fn(&Place<'_>) -> Vec<(&'static str, String)>,
    pub(super) timeout_seconds: u32,
    /// Whether it answers its executable's routes, which openapi.json has.
    pub(super) serves_routes: bool,
    /// When it runs by itself.
    pub(super) rule: Option<(&'static str, &'static str)>,
    /// Whose messages it takes.
    pub(super) queue: Option<&'static str>,
}

/// Callees come first, as their ARNs are settings of their callers.
pub(super) const FUNCTIONS: [Function; 6] = [
    Function {
        name: "module-mgmt-local-lambda-warmer",
        description: "Pings the functions of the schedule at every due tick.",
        executable: "lambda-warmer",
        settings: |place| {
            [database(place, "worker"), aws(place), namespace(), vec![("HOLD_MS", HOLD_MS.to_string())]].concat()
        },
        timeout_seconds: 60,
        serves_routes: false,
        rule: None,
        queue: None,
    },
    Function {
        name: "module-mgmt-local-lambda-config",
        description: "Platform configs over HTTP.",
        executable: "lambda-config",
        settings: |place| [database(place, "request"), aws(place), namespace(), rules(place)].concat(),
        timeout_seconds: 29,
        serves_routes: true,
        rule: None,
        queue: None,
    },
    Function {
        name: "module-mgmt-local-lambda-config-background",
        description: "Reconciles the rules with the schedule, hourly.",
        executable: "lambda-config",
        settings: |place| [database(place, "worker"), aws(place), namespace(), rules(place)].concat(),
        timeout_seconds: 60,
        serves_routes: false,
        rule: Some(("module-mgmt-local-reconcile", "rate(1 hour)")),
        queue: None,
    },
    Function {
        name: "module-mgmt-local-module-registry",
        description: "Modules, their dependencies and the menu over HTTP.",
        executable: "module-registry",
        settings: |place| [database(place, "request"), namespace()].concat(),
        timeout_seconds: 29,
        serves_routes: true,
        rule: None,
        queue: None,
    },
    Function {
        name: "module-mgmt-local-module-usage",
        description: "Usage of modules over HTTP, and its statistics.",
        executable: "module-usage",
        settings: |place| database(place, "request"),
        timeout_seconds: 29,
        serves_routes: true,
        rule: None,
        queue: None,
    },
    Function {
        name: USAGE_BACKGROUND,
        description: "Counts what the usage queue holds; looks after partitions and days, daily.",
        executable: "module-usage",
        settings: |place| database(place, "worker"),
        timeout_seconds: 60,
        serves_routes: false,
        rule: Some(("module-mgmt-local-usage-maintenance", "rate(1 day)")),
        queue: Some(USAGE_QUEUE),
    },
];

/// What the functions' settings depend on.
pub(super) struct Place<'a> {
    pub(super) endpoint: &'a str,
    pub(super) database_port: u16,
    pub(super) database: &'a str,
    pub(super) dead_letter_arn: &'a str,
    /// The ARNs of the functions made so far, by name.
    pub(super) arns: &'a BTreeMap<&'static str, String>,
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
