//! `mgmt openapi`: the API document, from the routers themselves.

use clap::Args;
use utoipa::PartialSchema as _;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, Content, InfoBuilder, OpenApi, Ref, ResponseBuilder};

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
    document.merge(module_registry::openapi());
    document.merge(module_usage::openapi());
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
    components.schemas.insert("Problem".into(), Problem::schema());
    components.schemas.insert("Fault".into(), Fault::schema());
    add_problems(&mut document);
    document.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
    document
}

/// What every error answers (RFC 9457).
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only the schema is used; mgmt-common writes the document")]
struct Problem {
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    /// The path of the request.
    instance: String,
    /// Stable, for programs.
    code: String,
    request_id: String,
    /// Of validation: each fault with its JSON pointer.
    errors: Option<Vec<Fault>>,
    /// Of 412: the entity tag to read again and merge with.
    current_etag: Option<String>,
    /// Of 412: pointers to the fields in which the request differs from what is stored.
    changed: Option<Vec<String>>,
    /// Of 503: what does not answer.
    dependency: Option<String>,
}

#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only the schema is used; mgmt-common writes the document")]
struct Fault {
    pointer: String,
    message: String,
}

/// Every operation answers errors alike.
fn add_problems(document: &mut OpenApi) {
    let problem = ResponseBuilder::new()
        .description("An error")
        .content("application/problem+json", Content::new(Some(Ref::from_schema_name("Problem"))))
        .build();
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten() {
            operation.responses.responses.insert("default".into(), problem.clone().into());
        }
    }
}
