//! The API document of all functions, made from the routers themselves. `openapi.json` in the project's folder is this document.

use module_mgmt_protocol::field_error::FieldError;
use module_mgmt_protocol::problem::Problem;
use utoipa::PartialSchema as _;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, Content, InfoBuilder, OpenApi, Ref, ResponseBuilder};

/// The document as it is written down.
///
/// # Errors
/// When it is no JSON, which would be a fault in a route's description.
pub fn text() -> Result<String, serde_json::Error> {
    Ok(format!("{}\n", document().to_pretty_json()?))
}

/// One document over all functions.
fn document() -> OpenApi {
    let mut document = served_by("lambda-config", lambda_config::openapi());
    document.merge(served_by("module-registry", module_registry::openapi()));
    document.merge(served_by("module-usage", module_usage::openapi()));
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
    components.schemas.insert("FieldError".into(), FieldError::schema());
    add_problems(&mut document);
    document.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
    document
}

/// Names the function that serves each operation, so that whoever deploys can route it there.
fn served_by(function: &str, mut document: OpenApi) -> OpenApi {
    for operation in operations(&mut document) {
        operation.extensions = Some(ExtensionsBuilder::new().add("x-function", function).build());
    }
    document
}

fn operations(document: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    let items = document.paths.paths.values_mut();
    items.flat_map(|item| [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten())
}

/// Every operation answers errors alike.
fn add_problems(document: &mut OpenApi) {
    let problem = ResponseBuilder::new()
        .description("An error")
        .content("application/problem+json", Content::new(Some(Ref::from_schema_name("Problem"))))
        .build();
    for operation in operations(document) {
        operation.responses.responses.insert("default".into(), problem.clone().into());
    }
}
