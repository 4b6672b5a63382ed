//! `mgmt openapi`: the API document, from the routers themselves.

use clap::Args;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, OpenApi};

use crate::output::{Failure, write};

/// Print the OpenAPI document of all functions; openapi.json is this output.
#[derive(Debug, Args)]
pub(crate) struct Openapi {}

pub(crate) fn run(_: &Openapi) -> Result<(), Failure> {
    let text = document().to_pretty_json().map_err(|error| Failure::new(error.to_string()))?;
    write(|out| writeln!(out, "{text}"))
}

/// One document over all functions.
fn document() -> OpenApi {
    let mut document = lambda_config::openapi();
    document.info = InfoBuilder::new()
        .title("module-mgmt")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Control plane for multi-tenant SaaS platforms on AWS Lambda: warming, modules, usage. Errors are \
             application/problem+json (RFC 9457) with a stable code, the request id, and JSON pointers for validation.",
        ))
        .build();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    document.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
    document
}
