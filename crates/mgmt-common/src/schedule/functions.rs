//! The functions a schedule keeps warm, and what it sends them.

use std::collections::BTreeMap;

use module_mgmt_protocol::field_error::FieldError;
use serde_json::Value;

use super::fields::{Fields, Found, kind};

/// The most invocations of one function that start together.
pub const MAX_CONCURRENCY: u16 = 100;

/// One function to keep warm.
#[derive(Debug, Clone, PartialEq)]
pub struct WarmFunction {
    /// Function name or full unqualified ARN.
    pub name: String,
    /// Version or alias.
    pub qualifier: Option<String>,
    /// How many instances to keep warm, 1 to [`MAX_CONCURRENCY`].
    pub concurrency: u16,
    pub payload: Payload,
}

/// What a ping carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// Our own protocol, answered by `host::warm`.
    Native,
    /// As the npm package `lambda-warmer` expects it.
    LambdaWarmer,
    /// As the warmer that `serverless-plugin-warmup` generates sends it.
    ServerlessPluginWarmup,
    /// Sent as it is.
    Custom(Value),
}

/// Reads entries as `lambda_functions` holds them; `pointer` is where the list is.
///
/// # Errors
/// Every fault of every entry.
pub fn parse_list(list: &Value, pointer: &str) -> Result<Vec<WarmFunction>, Vec<FieldError>> {
    let mut errors = Vec::new();
    let functions = parse(&Found { value: list, pointer: pointer.to_owned() }, &mut errors);
    if errors.is_empty() { Ok(functions) } else { Err(errors) }
}

/// Reads `lambda_functions`: names, or objects `{name, qualifier?, concurrency?, payload?}`. A `null` option is an absent one.
pub(super) fn parse(found: &Found<'_>, errors: &mut Vec<FieldError>) -> Vec<WarmFunction> {
    let Some(list) = found.list(errors) else {
        return Vec::new();
    };
    let mut functions: Vec<WarmFunction> = Vec::new();
    let mut seen = BTreeMap::new();
    for (index, value) in list.iter().enumerate() {
        let pointer = format!("{}/{index}", found.pointer);
        let Some(function) = parse_one(value, &pointer, errors) else {
            continue;
        };
        // Lambda itself reads an absent qualifier as $LATEST.
        let qualifier = function.qualifier.clone().unwrap_or_else(|| "$LATEST".to_owned());
        if let Some(first) = seen.insert((function.name.clone(), qualifier), index) {
            errors.push(FieldError::new(pointer, format!("is the same function and qualifier as entry {first}")));
        }
        functions.push(function);
    }
    functions
}

fn parse_one(value: &Value, pointer: &str, errors: &mut Vec<FieldError>) -> Option<WarmFunction> {
    if value.is_string() {
        let name = parse_name(&Found { value, pointer: pointer.to_owned() }, errors)?;
        return Some(WarmFunction { name, qualifier: None, concurrency: 1, payload: Payload::Native });
    }
    if !value.is_object() {
        let message = format!("must be a function name or an object with a name, not {}", kind(value));
        errors.push(FieldError::new(pointer, message));
        return None;
    }
    let faults_before = errors.len();
    let mut fields = Fields::of(value, pointer, errors)?;
    let name = match fields.optional("name") {
        Some(found) => parse_name(&found, errors),
        None => {
            fields.missing("name", errors);
            None
        }
    };
    let mut option = |name| fields.optional(name).filter(|found| !found.value.is_null());
    let qualifier = option("qualifier").and_then(|found| parse_qualifier(&found, errors));
    let concurrency = option("concurrency").map_or(Some(1), |found| found.number_up_to(MAX_CONCURRENCY, errors));
    let payload = option("payload").map_or(Some(Payload::Native), |found| parse_payload(&found, errors));
    fields.refuse_the_rest(errors);
    if errors.len() > faults_before {
        return None;
    }
    Some(WarmFunction { name: name?, qualifier, concurrency: concurrency?, payload: payload? })
}

/// A function name (1 to 64 of `[A-Za-z0-9-_]`) or `arn:{partition}:lambda:{region}:{account}:function:{name}`.
/// Source: Lambda API reference, `Invoke`, parameter `FunctionName`.
fn parse_name(found: &Found<'_>, errors: &mut Vec<FieldError>) -> Option<String> {
    let text = found.text(errors)?;
    let parts: Vec<&str> = text.split(':').collect();
    let fault = match parts.as_slice() {
        [name] if is_name(name, 64) => return Some(text.to_owned()),
        ["arn", partition, "lambda", region, account, "function", name]
            if partition.starts_with("aws")
                && is_name(partition, 20)
                && is_name(region, 32)
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && is_name(name, 64) =>
        {
            return Some(text.to_owned());
        }
        ["arn", _, "lambda", _, _, "function", _, _] => "holds a qualifier; put that into `qualifier`",
        _ => "must be a function name (1 to 64 letters, digits, `-` and `_`) or a full function ARN",
    };
    errors.push(found.fault(fault));
    None
}

fn is_name(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Source: Lambda API reference, `Invoke`, parameter `Qualifier`.
fn parse_qualifier(found: &Found<'_>, errors: &mut Vec<FieldError>) -> Option<String> {
    let text = found.text(errors)?;
    let legal = (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'$'));
    if !legal {
        errors.push(found.fault("must be a version or alias: 1 to 128 letters, digits, `$`, `-` and `_`"));
        return None;
    }
    Some(text.to_owned())
}

fn parse_payload(found: &Found<'_>, errors: &mut Vec<FieldError>) -> Option<Payload> {
    match found.value.as_str() {
        None => Some(Payload::Custom(found.value.clone())),
        Some("native") => Some(Payload::Native),
        Some("lambda-warmer") => Some(Payload::LambdaWarmer),
        Some("serverless-plugin-warmup") => Some(Payload::ServerlessPluginWarmup),
        // A misspelt protocol must not become a custom payload: it would run the real handler.
        Some(other) => {
            let known = "\"native\", \"lambda-warmer\", \"serverless-plugin-warmup\"";
            errors.push(found.fault(format!("{other:?} is no known payload: {known}, or JSON that is not a string")));
            None
        }
    }
}
