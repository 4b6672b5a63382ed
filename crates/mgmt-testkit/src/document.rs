//! Holds every answer of a test against `openapi.json`: the document is the truth, or the test fails.
#![expect(clippy::unwrap_used, reason = "a document that cannot be read is a fault of the project")]

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_str(include_str!("../../../openapi.json")).unwrap();
    close(&mut document);
    document
});

type Place = (String, String, u64);
static KNOWN: LazyLock<Mutex<HashMap<Place, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// A field that the document does not name is a fault too: where objects are described, they are closed. What is composed of several
/// schemas is closed as a whole, because each of them alone knows a part of the fields only.
fn close(document: &mut Value) {
    let schemas = document["components"]["schemas"].as_object_mut().unwrap();
    let open: Map<String, Value> =
        schemas.iter().map(|(name, schema)| (format!("{name}.open"), opened(schema))).collect();
    let closed = open.keys().map(|name| {
        let own = name.trim_end_matches(".open").to_owned();
        let schema = json!({"$ref": format!("#/components/schemas/{name}"), "unevaluatedProperties": false});
        // Bodies say what free JSON is by having no fields at all.
        (own, if names_fields(&open[name], &open) { schema } else { open[name].clone() })
    });
    let closed: Vec<(String, Value)> = closed.collect();
    schemas.clear();
    schemas.extend(closed);
    schemas.extend(open);
}

fn names_fields(schema: &Value, all: &Map<String, Value>) -> bool {
    if schema.get("properties").is_some() {
        return true;
    }
    let members = ["allOf", "oneOf", "anyOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
    let mut members = members.chain(schema.get("$ref").map(|_| schema));
    members.any(|member| match member.get("$ref").and_then(Value::as_str) {
        Some(target) => {
            all.get(target.trim_start_matches("#/components/schemas/")).is_some_and(|inner| names_fields(inner, all))
        }
        None => names_fields(member, all),
    })
}

/// A schema as a part of others: what it is composed of stays open.
fn opened(schema: &Value) -> Value {
    let Value::Object(entries) = schema else { return schema.clone() };
    let mut open = Map::new();
    for (key, value) in entries {
        let value = match (key.as_str(), value) {
            ("allOf" | "oneOf" | "anyOf", Value::Array(members)) => members
                .iter()
                .map(|member| match member.get("$ref").and_then(Value::as_str) {
                    Some(target) => json!({"$ref": format!("{target}.open")}),
                    None => opened(member),
                })
                .collect(),
            ("properties", Value::Object(fields)) => {
                fields.iter().map(|(name, field)| (name.clone(), opened(field))).collect::<Map<_, _>>().into()
            }
            ("items" | "additionalProperties", inner) => opened(inner),
            (_, other) => other.clone(),
        };
        open.insert(key.clone(), value);
    }
    open.into()
}

/// # Panics
/// The operation, the status or the body of an answer is not as the document says.
pub(crate) fn check((method, path): (&str, &str), status: u64, content_type: &str, body: &str) {
    let Some((template, operation)) = operation(method, path) else {
        // Nobody is promised anything about a path or method that is not there.
        assert!(status >= 400, "{method} {path} is not in openapi.json: {body:.1000}");
        return;
    };
    let responses = operation["responses"].as_object().unwrap();
    let response = responses.get(&status.to_string());
    let response = response.or_else(|| responses.get("default").filter(|_| status >= 400));
    let response =
        response.unwrap_or_else(|| panic!("{method} {template} does not say that it answers {status}: {body:.1000}"));
    let media = content_type.split(';').next().unwrap_or_default();
    let content = response.get("content").and_then(Value::as_object);
    let Some(content) = content.filter(|content| !content.is_empty()) else {
        assert!(body.is_empty(), "{method} {template} {status}: no body is promised: {body:.1000}");
        return;
    };
    let Some(described) = content.get(media) else {
        panic!("{method} {template} {status}: {media:?} is not promised: {body:.1000}");
    };
    if !media.ends_with("json") {
        return;
    }
    let validator = validator((method.to_owned(), template, status), &described["schema"]);
    let parsed = serde_json::from_str(body).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&parsed).map(|error| format!("{}: {error:.300}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{method} {path} {status}: {errors:#?} {body:.3000}");
}

fn validator(place: Place, schema: &Value) -> Arc<Validator> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let made = known.entry(place).or_insert_with(|| {
        // Problems have members of their own by kind.
        let schema = match schema.get("$ref").and_then(Value::as_str) {
            Some("#/components/schemas/Problem") => json!({"$ref": "#/components/schemas/Problem.open"}),
            _ => opened(schema),
        };
        let whole = json!({"allOf": [schema], "components": DOCUMENT["components"]});
        Arc::new(jsonschema::options().should_validate_formats(true).build(&whole).unwrap())
    });
    Arc::clone(made)
}

/// The operation whose template fits, one with fewer parameters first.
fn operation(method: &str, path: &str) -> Option<(String, &'static Value)> {
    let segments: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let parts: Vec<&str> = template.split('/').collect();
        parts.len() == segments.len()
            && parts.iter().zip(&segments).all(|(part, segment)| part.starts_with('{') || part == segment)
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let mut found: Vec<_> = paths.iter().filter(|(template, _)| fits(template)).collect();
    found.sort_by_key(|(template, _)| template.matches('{').count());
    let (template, methods) = found.first()?;
    Some(((*template).clone(), methods.get(method.to_ascii_lowercase())?))
}
