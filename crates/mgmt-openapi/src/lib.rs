//! The API document of all functions, made from the routers themselves. `openapi.json` in the project's folder is this document.

use module_mgmt_protocol::field_error::FieldError;
use module_mgmt_protocol::problem::Problem;
use utoipa::PartialSchema as _;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, Content, InfoBuilder, OpenApi, Ref, RefOr, ResponseBuilder, Schema};

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
        for (status, response) in &mut operation.responses.responses {
            let RefOr::T(response) = response else { continue };
            if response.description.is_empty() {
                reason(status).clone_into(&mut response.description);
            }
            if status.starts_with(['4', '5']) && response.content.is_empty() {
                response.content.clone_from(&problem.content);
            }
        }
        operation.responses.responses.insert("default".into(), problem.clone().into());
        if let Some(RefOr::T(body)) = &mut operation.request_body {
            for content in body.content.values_mut() {
                let RefOr::T(content) = content else { continue };
                content.schema = content.schema.take().map(without_null);
            }
        }
    }
}

/// What a status means where the route says nothing more about it.
fn reason(status: &str) -> &'static str {
    match status {
        "200" => "Done",
        "201" => "Made",
        "204" => "Done; there is nothing to say",
        "304" => "Nothing has changed since the version that If-None-Match names",
        "400" => "The request cannot be read",
        "403" => "The caller may not do this",
        "404" => "There is no such thing, or the caller may not see it",
        "409" => "The current state forbids this",
        "412" => "It has changed since the version that If-Match names",
        "413" => "The request or the answer is too large",
        "422" => "The request is not valid",
        "428" => "The request must say by If-Match which version it replaces",
        "429" => "Too many requests; Retry-After says when to try again",
        "502" => "AWS refused a call",
        "503" => "Something does not answer; Retry-After says when to try again",
        _ => "See the route",
    }
}

/// A body that may be absent is not one that may be null.
fn without_null(schema: RefOr<Schema>) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::OneOf(mut one)) if one.items.len() == 2 => match one.items.pop() {
            Some(wanted @ RefOr::Ref(_)) => wanted,
            other => {
                one.items.extend(other);
                RefOr::T(Schema::OneOf(one))
            }
        },
        other => other,
    }
}
