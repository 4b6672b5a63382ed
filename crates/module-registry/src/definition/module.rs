//! A registered module: as it is stored, and as the API shows it to platform admins. One struct for both, so that they cannot differ.

use std::collections::BTreeMap;

use jiff::Timestamp;
use module_mgmt_protocol::state::ModuleType;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// A registered module.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
#[schema(as = Module)]
pub(crate) struct RegisteredModule {
    #[serde(rename(serialize = "name", deserialize = "module_name"))]
    #[schema(rename = "name")]
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) description: Option<String>,
    #[serde(rename(serialize = "type", deserialize = "module_type"))]
    #[schema(rename = "type")]
    pub(crate) module_type: ModuleType,
    /// 1 to 3; a module may depend only on modules of its own or a lower tier.
    pub(crate) tier: u8,
    pub(crate) is_enabled: bool,
    pub(crate) is_installed: bool,
    pub(crate) version: String,
    /// The oldest version that dependents may still ask for.
    pub(crate) min_compatible_version: Option<String>,
    /// As it was stored; its keys are never re-cased.
    #[schema(value_type = Value)]
    pub(crate) config: Box<RawValue>,
    /// JSON Schema of `config`.
    #[schema(value_type = Option<Value>)]
    pub(crate) config_schema: Option<Box<RawValue>>,
    #[schema(value_type = Value)]
    pub(crate) feature_flags: Box<RawValue>,
    /// Names, with `@` and a version requirement where it matters: `module-ai@>=1.2`.
    pub(crate) dependencies: Vec<String>,
    /// As it is stored, readable or not: what was edited by hand can still be mended through the API.
    #[schema(value_type = Option<Value>)]
    pub(crate) nav_config: Option<Value>,
    /// A caller needs all of them.
    pub(crate) required_permissions: Vec<String>,
    /// Kept warm while the module is on; entries as in `lambda_functions` of the warming schedule.
    pub(crate) functions: Vec<Value>,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: Timestamp,
    pub(crate) created_by: Option<String>,
    pub(crate) updated_by: Option<String>,
    /// Since when it is disabled.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) disabled_at: Option<Timestamp>,
    /// Counts changes; the ETag is this number in double quotes.
    pub(crate) row_version: i64,
}

impl RegisteredModule {
    /// What a module is before anything is said about it.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            display_name: name.to_owned(),
            description: None,
            module_type: ModuleType::Functional,
            tier: 3,
            is_enabled: false,
            is_installed: true,
            version: "1.0.0".to_owned(),
            min_compatible_version: None,
            config: empty_object(),
            config_schema: None,
            feature_flags: empty_object(),
            dependencies: Vec::new(),
            nav_config: None,
            required_permissions: Vec::new(),
            functions: Vec::new(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            created_by: None,
            updated_by: None,
            disabled_at: None,
            row_version: 0,
        }
    }

    /// Its columns by their names in the table, as one JSON object. Free JSON in it stays digit by digit as it was sent.
    ///
    /// # Errors
    /// Free JSON that is none, which no request can bring here.
    pub(crate) fn columns(&self) -> Result<String, serde_json::Error> {
        let written = serde_json::to_string(self)?;
        let fields: BTreeMap<String, &RawValue> = serde_json::from_str(&written)?;
        let columns: BTreeMap<String, &RawValue> =
            fields.into_iter().map(|(name, value)| (column_name(&name), value)).collect();
        serde_json::to_string(&columns)
    }
}

fn empty_object() -> Box<RawValue> {
    RawValue::from_string("{}".to_owned()).unwrap_or_default()
}

/// A column as the API names it.
pub(crate) fn api_name(column: &str) -> String {
    match column {
        "module_name" => "name".to_owned(),
        "module_type" => "type".to_owned(),
        other => {
            let mut words = other.split('_');
            let first = words.next().unwrap_or_default().to_owned();
            words.fold(first, |name, word| {
                let (head, tail) = word.split_at(word.len().min(1));
                name + &head.to_ascii_uppercase() + tail
            })
        }
    }
}

/// The column of a field of the API.
fn column_name(field: &str) -> String {
    match field {
        "name" => "module_name".to_owned(),
        "type" => "module_type".to_owned(),
        other => other.chars().fold(String::new(), |mut column, letter| {
            if letter.is_ascii_uppercase() {
                column.push('_');
            }
            column.push(letter.to_ascii_lowercase());
            column
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_names_of_the_api_and_back() {
        for (column, field) in [
            ("module_type", "type"),
            ("min_compatible_version", "minCompatibleVersion"),
            ("config", "config"),
            ("module_name", "name"),
        ] {
            assert_eq!((api_name(column).as_str(), column_name(field).as_str()), (field, column));
        }
    }

    #[test]
    fn a_stored_module_reads_as_the_columns_that_are_written() {
        let config = RawValue::from_string(r#"{"aB": 12345678901234567890.10}"#.to_owned()).unwrap();
        let module = RegisteredModule { tier: 2, config, ..RegisteredModule::new("module-x") };
        let read: RegisteredModule = serde_json::from_str(&module.columns().unwrap()).unwrap();
        assert_eq!((read.name, read.tier, read.is_installed), (module.name, 2, true));
        assert_eq!(read.config.get(), module.config.get());
    }
}
