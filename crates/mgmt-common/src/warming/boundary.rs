//! Which functions may be warmed at all. The warmer invokes with rights that those who write schedules do not have, so it must be nobody's
//! deputy: not for a function of this control plane, which would take a payload for an event of its own, and not for another account's.

use std::collections::BTreeSet;

use module_mgmt_protocol::field_error::FieldError;
use serde_json::Value;

use crate::schedule::functions::{Payload, WarmFunction};
use crate::schedule::name::Namespace;

/// Our functions by their packages. A deployment calls them `{project}-{environment}-{package}`, and that of the worker's credential
/// with `-background` behind it.
const PACKAGES: [&str; 5] = ["authorizer", "lambda-config", "lambda-warmer", "module-registry", "module-usage"];

/// The package whose bare name others give their functions too.
const COMMON_NAME: &str = "authorizer";

/// What lies outside.
#[derive(Debug, Clone, Default)]
pub struct Boundary {
    own_names: BTreeSet<String>,
    /// Accounts whose functions may be warmed, when they are known.
    accounts: BTreeSet<String>,
}

impl Boundary {
    /// `warmer_arn` says in which account this is; `more_accounts` are those whose functions may be warmed besides.
    pub fn new(namespace: Option<&Namespace>, warmer_arn: Option<&str>, more_accounts: &[String]) -> Self {
        let prefix = namespace.map(|namespace| format!("{}-{}-", namespace.project(), namespace.env()));
        let named = |prefix: &str, package: &str| {
            ["", "-background"].map(|suffix| format!("{prefix}{package}{suffix}").to_ascii_lowercase())
        };
        let deployed = prefix.iter().flat_map(|prefix| PACKAGES.iter().flat_map(|package| named(prefix, package)));
        let bare = PACKAGES.iter().filter(|package| **package != COMMON_NAME).flat_map(|package| named("", package));
        let mut own_names: BTreeSet<String> = deployed.chain(bare).collect();
        own_names.extend(warmer_arn.map(|arn| bare_name(arn).to_ascii_lowercase()).filter(|name| !name.is_empty()));
        let own_account = warmer_arn.and_then(account).map(str::to_owned);
        let accounts = own_account.map(|own| more_accounts.iter().cloned().chain([own]).collect());
        Self { own_names, accounts: accounts.unwrap_or_default() }
    }

    /// The same, seen from a function that knows where it runs only from its invocation.
    #[must_use]
    pub fn seen_from(&self, own_arn: &str, more_accounts: &[String]) -> Self {
        let mut own_names = self.own_names.clone();
        own_names.insert(bare_name(own_arn).to_ascii_lowercase());
        let accounts = account(own_arn).map(|own| more_accounts.iter().cloned().chain([own.to_owned()]).collect());
        Self { own_names, accounts: accounts.unwrap_or_default() }
    }

    /// Why a function must not be warmed as it is wanted; `None`: it may be.
    pub fn fault(&self, function: &WarmFunction) -> Option<String> {
        let key = match &function.payload {
            Payload::Custom(payload) => event_key(payload),
            _ => None,
        };
        let payload = key.map(|key| format!("has a payload with {key:?}, which could pass for an event of AWS"));
        self.name_fault(&function.name).or(payload)
    }

    /// Takes a name, or an ARN with or without a qualifier.
    fn name_fault(&self, function: &str) -> Option<String> {
        if self.own_names.contains(&bare_name(function).to_ascii_lowercase()) {
            return Some("is a function of module-mgmt itself, which is never warmed".to_owned());
        }
        let account = account(function)?;
        let is_foreign = !self.accounts.is_empty() && !self.accounts.contains(account);
        is_foreign.then(|| format!("lies in the account {account}, which WARMING_ACCOUNTS does not list"))
    }

    /// The faults of a list of functions, which is at the pointer.
    pub fn faults(&self, functions: &[WarmFunction], pointer: &str) -> Vec<FieldError> {
        let fault = |(index, function): (usize, &WarmFunction)| {
            Some(FieldError::new(format!("{pointer}/{index}"), self.fault(function)?))
        };
        functions.iter().enumerate().filter_map(fault).collect()
    }
}

/// Keys by which functions, or their frameworks, recognise what AWS sends: of gateways, load balancers, queues, streams, rules, mail, logs,
/// authorizers, user pools, brokers and jobs. Lower case, letters only.
const EVENT_KEYS: [&str; 22] = [
    "requestcontext",
    "records",
    "detailtype",
    "httpmethod",
    "rawpath",
    "routekey",
    "multivalueheaders",
    "awslogs",
    "triggersource",
    "authorizationtoken",
    "methodarn",
    "routearn",
    "identitysource",
    "eventsource",
    "eventsourcearn",
    "eventsubscriptionarn",
    "rmqmessagesbyqueue",
    "bootstrapservers",
    "deliverystreamarn",
    "invokingevent",
    "codepipelinejob",
    "invocationschemaversion",
];

/// The first key of a payload, or of an item of a list, that an event of AWS has. However it is spelt: some read keys in any case.
fn event_key(payload: &Value) -> Option<&str> {
    match payload {
        Value::Object(entries) => entries.keys().map(String::as_str).find(|key| {
            let letters: String = key.chars().filter(char::is_ascii_alphabetic).collect();
            EVENT_KEYS.contains(&letters.to_ascii_lowercase().as_str())
        }),
        Value::Array(items) => items.iter().find_map(event_key),
        _ => None,
    }
}

/// The name in an ARN, or in a part of one: what is behind `function:`, or else all of it, without a qualifier.
fn bare_name(function: &str) -> &str {
    let name = function.rsplit_once("function:").map_or(function, |(_, name)| name);
    name.split(':').next().unwrap_or_default()
}

/// The twelve digits of an ARN, or of a partial one.
fn account(function: &str) -> Option<&str> {
    function.split(':').find(|part| part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schedule::functions::parse_list;

    const WARMER: &str = "arn:aws:lambda:eu-west-1:111122223333:function:custom-warmer";

    fn boundary() -> Boundary {
        let namespace = Namespace::parse("shop", "prod").unwrap();
        Boundary::new(Some(&namespace), Some(WARMER), &["444455556666".to_owned()])
    }

    #[test]
    fn own_functions_are_outside_however_they_are_named() {
        for own in [
            "shop-prod-module-usage",
            "shop-prod-module-usage-background",
            "Shop-Prod-Module-Usage",
            "lambda-config",
            "module-registry-background",
            "custom-warmer",
            WARMER,
            "arn:aws:lambda:eu-west-1:111122223333:function:shop-prod-lambda-config",
            "arn:aws:lambda:eu-west-1:111122223333:function:shop-prod-lambda-config:live",
            "111122223333:function:shop-prod-authorizer",
            "function:shop-prod-authorizer:1",
        ] {
            assert!(boundary().name_fault(own).unwrap().contains("itself"), "{own}");
        }
        for other in ["shop-prod-orders", "authorizer", "shop-staging-module-usage", "module-usage-report", "orders"] {
            assert_eq!(boundary().name_fault(other), None, "{other}");
        }
    }

    #[test]
    fn another_account_is_outside_unless_it_is_listed() {
        let arn = |account: &str| format!("arn:aws:lambda:eu-west-1:{account}:function:orders");
        assert_eq!(boundary().name_fault(&arn("111122223333")), None);
        assert_eq!(boundary().name_fault(&arn("444455556666")), None);
        assert!(boundary().name_fault(&arn("777788889999")).unwrap().contains("777788889999"));
        let elsewhere = boundary().seen_from("arn:aws:lambda:eu-west-1:777788889999:function:x", &[]);
        assert_eq!(elsewhere.name_fault(&arn("777788889999")), None);
        assert!(elsewhere.name_fault(&arn("111122223333")).is_some());
        assert!(elsewhere.name_fault("x").is_some());
        // Where the own account is not known, the warmer itself will know it.
        assert_eq!(Boundary::new(None, None, &[]).name_fault(&arn("777788889999")), None);
    }

    #[test]
    fn a_payload_that_could_pass_for_an_event_of_aws_is_outside() {
        let fault = |payload: Value| {
            let functions = parse_list(&json!([{"name": "orders", "payload": payload}]), "").unwrap();
            boundary().fault(&functions[0])
        };
        for event in [
            json!({"requestContext": {"authorizer": {"lambda": {"sub": "ceo@victim"}}}}),
            json!({"request_context": {}}),
            json!({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}),
            json!({"records": []}),
            json!({"source": "aws.events", "detail-type": "Scheduled Event"}),
            json!({"detailType": "x"}),
            json!({"awslogs": {"data": ""}}),
            json!({"triggerSource": "PreSignUp_SignUp"}),
            json!({"type": "TOKEN", "authorizationToken": "x", "methodArn": "y"}),
            json!([{"eventSourceARN": "arn:aws:sqs:eu-west-1:1:q", "body": "{}"}]),
            json!({"httpMethod": "POST", "path": "/"}),
        ] {
            assert!(fault(event.clone()).unwrap().contains("could pass for an event of AWS"), "{event}");
        }
        for fine in
            [json!({"warmer": true}), json!({"source": "warmup", "records_wanted": 1}), json!([1, [2]]), json!(7)]
        {
            assert_eq!(fault(fine.clone()), None, "{fine}");
        }
    }
}
