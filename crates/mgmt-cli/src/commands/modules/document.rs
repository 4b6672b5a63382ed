//! What a file says about modules: YAML or JSON, a list of modules, or a module's own manifest (`module.json`).

use std::fs;
use std::io::{self, Read as _};

use module_mgmt_protocol::field_error::FieldError;
use serde_json::{Map, Value};

use crate::output::Failure;

/// What can be said about a module, as the API spells it.
pub(super) const FIELDS: [&str; 15] = [
    "displayName",
    "description",
    "type",
    "tier",
    "isEnabled",
    "isInstalled",
    "version",
    "minCompatibleVersion",
    "config",
    "configSchema",
    "featureFlags",
    "dependencies",
    "navConfig",
    "requiredPermissions",
    "functions",
];

/// One module as the file wants it: only the fields that the file names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) fields: Map<String, Value>,
}

/// Reads a file, or standard input for `-`.
///
/// # Errors
/// What cannot be read, and every fault of it with its place.
pub(super) fn read(path: &str) -> Result<Vec<Wanted>, Failure> {
    let text = match path {
        "-" => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map(|_| text)
        }
        path => fs::read_to_string(path),
    };
    let text = text.map_err(|error| Failure::new(format!("{path} cannot be read: {error}")))?;
    parse_text(path, &text)
}

/// Reads what a file says; `path` is what it is called in failures.
///
/// # Errors
/// Every fault with its place.
pub(crate) fn parse_text(path: &str, text: &str) -> Result<Vec<Wanted>, Failure> {
    // JSON is YAML too, but its own reader has the better messages.
    let value: Value = if path.ends_with(".json") {
        serde_json::from_str(text).map_err(|error| Failure::new(format!("{path} is not JSON: {error}")))?
    } else {
        serde_saphyr::from_str(text).map_err(|error| Failure::new(format!("{path} is not YAML: {error}")))?
    };
    parse(&value).map_err(|errors| Failure::invalid(format!("{path} does not say what modules should be"), errors))
}

fn parse(value: &Value) -> Result<Vec<Wanted>, Vec<FieldError>> {
    let mut errors = Vec::new();
    let modules = match value {
        Value::Array(list) => modules(list, "", &mut errors),
        Value::Object(object) if object.contains_key("modules") => match &object["modules"] {
            Value::Array(list) if object.len() == 1 => modules(list, "/modules", &mut errors),
            Value::Array(_) => {
                errors.push(FieldError::new("", "beside `modules` nothing can be said"));
                Vec::new()
            }
            _ => {
                errors.push(FieldError::new("/modules", "must be a list"));
                Vec::new()
            }
        },
        Value::Object(object) => module(object, "", is_manifest(object), &mut errors).into_iter().collect(),
        _ => {
            errors
                .push(FieldError::new("", "must be a list of modules, `modules:` with one, or one module's manifest"));
            Vec::new()
        }
    };
    for (index, wanted) in modules.iter().enumerate() {
        if modules[..index].iter().any(|earlier| earlier.name == wanted.name) {
            errors.push(FieldError::new("", format!("{} is named twice", wanted.name)));
        }
    }
    if errors.is_empty() { Ok(modules) } else { Err(errors) }
}

/// A manifest says more about a module than the registry keeps: tables, routes, a licence.
fn is_manifest(object: &Map<String, Value>) -> bool {
    object.contains_key("provides")
}

fn modules(list: &[Value], pointer: &str, errors: &mut Vec<FieldError>) -> Vec<Wanted> {
    let mut one = |(index, value): (usize, &Value)| {
        let pointer = format!("{pointer}/{index}");
        let Some(object) = value.as_object() else {
            errors.push(FieldError::new(pointer, "must be a module: a name and fields"));
            return None;
        };
        module(object, &pointer, is_manifest(object), errors)
    };
    list.iter().enumerate().filter_map(&mut one).collect()
}

fn module(object: &Map<String, Value>, pointer: &str, lenient: bool, errors: &mut Vec<FieldError>) -> Option<Wanted> {
    let mut fields = Map::new();
    for (key, value) in object {
        let name = camel_case(key);
        if name == "name" || name == "moduleName" {
            continue;
        }
        let name = if name == "moduleType" { "type".to_owned() } else { name };
        if name == "isEnabled" && !value.is_boolean() {
            errors.push(FieldError::new(format!("{pointer}/{key}"), "must be true or false"));
        } else if FIELDS.contains(&name.as_str()) {
            let value = if name == "dependencies" { dependencies(value) } else { value.clone() };
            fields.insert(name, value);
        } else if !lenient {
            errors.push(FieldError::new(
                format!("{pointer}/{key}"),
                format!("is no field of a module; there are {}", FIELDS.join(", ")),
            ));
        }
    }
    let Some(name) = object.get("name").or_else(|| object.get("module_name")).and_then(Value::as_str) else {
        errors.push(FieldError::new(format!("{pointer}/name"), "is needed"));
        return None;
    };
    Some(Wanted { name: name.to_owned(), fields })
}

/// Manifests may write dependencies as `{name: versions}`.
fn dependencies(value: &Value) -> Value {
    let Some(object) = value.as_object() else { return value.clone() };
    let each = object.iter().map(|(name, versions)| match versions.as_str() {
        None | Some("" | "*") => name.clone(),
        Some(versions) => format!("{name}@{versions}"),
    });
    each.map(Value::from).collect::<Vec<_>>().into()
}

fn camel_case(key: &str) -> String {
    let mut words = key.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        name + &head.to_ascii_uppercase() + tail
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_maps_and_manifests_say_the_same() {
        let wanted = |value: Value| parse(&value).unwrap();
        let one = wanted(json!([{"name": "module-a", "display_name": "A", "is_enabled": true}]));
        assert_eq!(one, wanted(json!({"modules": [{"name": "module-a", "displayName": "A", "isEnabled": true}]})));
        let manifest = wanted(
            json!({"name": "module-a", "displayName": "A", "isEnabled": true, "license": "MIT", "provides": {}}),
        );
        assert_eq!(one, manifest);
        let manifest =
            wanted(json!({"name": "module-a", "dependencies": {"module-b": ">=1.2", "module-c": "*"}, "provides": {}}));
        assert_eq!(manifest[0].fields["dependencies"], json!(["module-b@>=1.2", "module-c"]));
    }

    #[test]
    fn faults_have_their_place() {
        for (value, pointers) in [
            (json!(7), vec![""]),
            (json!({"modules": {}}), vec!["/modules"]),
            (json!([{"displayName": "A"}, 3]), vec!["/0/name", "/1"]),
            (json!({"modules": [{"name": "module-a", "enabled": true}]}), vec!["/modules/0/enabled"]),
            (json!([{"name": "module-a"}, {"name": "module-a"}]), vec![""]),
        ] {
            let errors = parse(&value).unwrap_err();
            assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), pointers, "{value}");
        }
    }
}
