//! What a module may be defined as. Pure: no I/O.

pub(crate) mod module;
pub(crate) mod module_change;
pub(crate) mod navigation;
pub(crate) mod override_change;
mod schema_cost;
pub(crate) mod settings;

use mgmt_common::json::number::written_out_bytes;
use mgmt_common::modules::graph;
use mgmt_common::modules::name::ModuleName;
use mgmt_common::modules::requirement::Requirement;
use mgmt_common::schedule::functions;
use mgmt_common::text::{first_invisible, name_fault};
use module::RegisteredModule;
use module_mgmt_protocol::field_error::FieldError;
use semver::Version;
use serde_json::Value;
use serde_json::value::RawValue;

const MAX_DISPLAY_NAME: usize = 200;
const MAX_DESCRIPTION: usize = 2_000;
const MAX_DEPENDENCIES: usize = 100;
const MAX_PERMISSIONS: usize = 50;
const MAX_PERMISSION: usize = 100;
const MAX_FUNCTIONS: usize = 100;
/// Longest free JSON, in bytes with its numbers written out: who reads it pays for all of them.
pub(crate) const MAX_CONFIG_BYTES: u64 = 64 * 1024;
const MAX_SCHEMA_BYTES: u64 = 64 * 1024;
const MAX_FLAGS_BYTES: u64 = 16 * 1024;
const MAX_NAVIGATION_BYTES: u64 = 32 * 1024;
const MAX_FUNCTIONS_BYTES: u64 = 64 * 1024;

/// A definition that is valid by itself; whether it fits among the others, the graph says.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(crate) row: RegisteredModule,
    pub(crate) module: graph::Module,
}

/// Checks a module as a whole.
///
/// # Errors
/// Every field that is not valid.
pub(crate) fn check(row: RegisteredModule) -> Result<Definition, Vec<FieldError>> {
    let mut errors = texts(&row);
    if !(1..=3).contains(&row.tier) {
        errors.push(FieldError::new("/tier", "must be 1, 2 or 3"));
    }
    let version = parse_version(&row.version, "/version", &mut errors);
    let minimum = row.min_compatible_version.as_ref();
    let minimum = minimum.map(|text| parse_version(text, "/minCompatibleVersion", &mut errors));
    if let (Some(version), Some(Some(minimum))) = (&version, &minimum)
        && minimum > version
    {
        errors.push(FieldError::new("/minCompatibleVersion", format!("is later than the version itself, {version}")));
    }
    errors.extend(too_large(&row));
    for (pointer, value) in [("/config", &row.config), ("/featureFlags", &row.feature_flags)] {
        if !settings::is_object(value) {
            errors.push(FieldError::new(pointer, "must be an object"));
        }
    }
    if errors.is_empty() {
        errors.extend(settings::faults(&row.config, row.config_schema.as_deref()));
    }
    errors.extend(row.nav_config.iter().flat_map(navigation::faults));
    errors.extend(permission_faults(&row.required_permissions));
    if row.functions.len() > MAX_FUNCTIONS {
        errors.push(FieldError::new("/functions", format!("must have at most {MAX_FUNCTIONS} entries")));
    } else if let Err(found) = functions::parse_list(&Value::Array(row.functions.clone()), "/functions") {
        errors.extend(found);
    }
    let dependencies = parse_dependencies(&row.dependencies, &mut errors);
    let name = ModuleName::parse(&row.name).map_err(|message| errors.push(FieldError::new("/name", message)));
    let (Ok(name), Some(version), true) = (name, version, errors.is_empty()) else { return Err(errors) };
    let module = graph::Module {
        name,
        module_type: row.module_type,
        tier: row.tier,
        is_enabled: row.is_enabled,
        is_installed: row.is_installed,
        version,
        min_compatible_version: minimum.flatten(),
        dependencies,
    };
    Ok(Definition { row, module })
}

fn texts(row: &RegisteredModule) -> Vec<FieldError> {
    let mut errors = Vec::new();
    errors.extend(name_fault(&row.display_name, MAX_DISPLAY_NAME).map(|fault| FieldError::new("/displayName", fault)));
    if row.description.as_ref().is_some_and(|text| text.chars().count() > MAX_DESCRIPTION) {
        errors.push(FieldError::new("/description", format!("must have at most {MAX_DESCRIPTION} characters")));
    }
    errors
}

/// Free JSON has a size, because everybody who reads it pays for it.
fn too_large(row: &RegisteredModule) -> Vec<FieldError> {
    let sent = |raw: &RawValue| written_out_bytes(raw.get());
    let written = |value: &Value| written_out_bytes(&value.to_string());
    let sizes = [
        ("/config", sent(&row.config), MAX_CONFIG_BYTES),
        ("/configSchema", row.config_schema.as_deref().map_or(0, sent), MAX_SCHEMA_BYTES),
        ("/featureFlags", sent(&row.feature_flags), MAX_FLAGS_BYTES),
        ("/navConfig", row.nav_config.as_ref().map_or(0, written), MAX_NAVIGATION_BYTES),
        ("/functions", row.functions.iter().map(written).sum(), MAX_FUNCTIONS_BYTES),
    ];
    let found = sizes.into_iter().filter(|(_, bytes, most)| bytes > most);
    found.map(|(pointer, _, most)| FieldError::new(pointer, format!("must have at most {most} bytes"))).collect()
}

fn parse_version(text: &str, pointer: &str, errors: &mut Vec<FieldError>) -> Option<Version> {
    let parsed = Version::parse(text);
    parsed
        .map_err(|error| {
            let message = format!("{text:?} is no semantic version such as 1.4.0: {error}");
            errors.push(FieldError::new(pointer, message));
        })
        .ok()
}

fn parse_dependencies(texts: &[String], errors: &mut Vec<FieldError>) -> Vec<Requirement> {
    if texts.len() > MAX_DEPENDENCIES {
        errors.push(FieldError::new("/dependencies", format!("must have at most {MAX_DEPENDENCIES} entries")));
    }
    let mut parse = |(index, text): (usize, &String)| {
        let parsed = Requirement::parse(text);
        parsed.map_err(|message| errors.push(FieldError::new(format!("/dependencies/{index}"), message))).ok()
    };
    texts.iter().enumerate().filter_map(&mut parse).collect()
}

/// Permissions travel as one space-separated claim.
fn permission_faults(permissions: &[String]) -> Vec<FieldError> {
    let fault = |(index, text): (usize, &String)| {
        let is_fine = !text.is_empty()
            && text.chars().count() <= MAX_PERMISSION
            && !text.chars().any(char::is_whitespace)
            && first_invisible(text).is_none();
        let message = format!("must have 1 to {MAX_PERMISSION} characters, no spaces and none that nobody sees");
        (!is_fine).then(|| FieldError::new(format!("/requiredPermissions/{index}"), message))
    };
    let mut errors: Vec<FieldError> = permissions.iter().enumerate().filter_map(fault).collect();
    if permissions.len() > MAX_PERMISSIONS {
        errors.push(FieldError::new("/requiredPermissions", format!("must have at most {MAX_PERMISSIONS} entries")));
    }
    errors
}
