//! That the fake is as strict as AWS, and as forgiving.

use serde_json::{Value, json};

use super::actions::run;
use super::bus::{Bus, Rule};

fn bus() -> Bus {
    let mut theirs = Rule::scheduled("rate(1 day)").with_target("a", "arn:aws:lambda:x", "{}").with_tag("k", "v");
    theirs.description = Some("old".to_owned());
    theirs.state = "DISABLED".to_owned();
    let managed = Rule { managed_by: Some("x.amazonaws.com".to_owned()), ..theirs.clone() };
    Bus::from([("r".to_owned(), theirs), ("m".to_owned(), managed)])
}

fn rule(changes: &Value) -> Value {
    let mut body = json!({"Name": "n", "ScheduleExpression": "rate(1 day)"});
    for (field, value) in changes.as_object().into_iter().flatten() {
        body[field] = value.clone();
    }
    body
}

fn target(changes: &Value) -> Value {
    let mut target = json!({"Id": "t", "Arn": "arn:aws:lambda:x"});
    for (field, value) in changes.as_object().into_iter().flatten() {
        target[field] = value.clone();
    }
    json!({"Rule": "r", "Targets": [target]})
}

#[test]
fn what_aws_refuses_is_refused_with_its_code() {
    let check = |action: &str, body: Value, code: Option<&str>| {
        let mut after = bus();
        let refused = run(&mut after, action, &body, false).err().map(|refusal| refusal.code);
        assert_eq!(refused, code, "{action} {body}");
        assert!(code.is_none() || after == bus(), "{action} {body} was refused and applied");
    };
    let invalid = Some("ValidationException");
    let missing = Some("ResourceNotFoundException");
    let managed = Some("ManagedRuleException");
    let unknown = Some("SerializationException");
    check("PutRule", rule(&json!({})), None);
    check("PutRule", rule(&json!({"Name": "n".repeat(64)})), None);
    check("PutRule", rule(&json!({"Name": "n".repeat(65)})), invalid);
    check("PutRule", rule(&json!({"Name": "a/b"})), invalid);
    check("PutRule", rule(&json!({"ScheduleExpression": "cron(0 20-2 ? * MON *)"})), invalid);
    check("PutRule", rule(&json!({"ScheduleExpression": null})), invalid);
    check("PutRule", rule(&json!({"State": "ON"})), invalid);
    check("PutRule", rule(&json!({"Description": "d".repeat(513)})), invalid);
    check("PutRule", rule(&json!({"EventBusName": "other"})), missing);
    check("PutRule", rule(&json!({"Targets": []})), unknown);
    check("PutRule", rule(&json!({"Name": "m"})), managed);
    check("PutTargets", target(&json!({})), None);
    check("PutTargets", target(&json!({"Input": format!("\"{}\"", "x".repeat(8190))})), None);
    check("PutTargets", target(&json!({"Input": format!("\"{}\"", "x".repeat(8191))})), invalid);
    check("PutTargets", target(&json!({"Input": "{"})), invalid);
    check("PutTargets", target(&json!({"RetryPolicy": {"MaximumEventAgeInSeconds": 59}})), invalid);
    check("PutTargets", target(&json!({"RetryPolicy": {"MaximumRetryAttempts": 186}})), invalid);
    check("PutTargets", target(&json!({"Unknown": 1})), unknown);
    check("PutTargets", json!({"Rule": "none", "Targets": []}), missing);
    check("PutTargets", json!({"Rule": "m", "Targets": []}), managed);
    let six: Vec<Value> = (0..5).map(|id| json!({"Id": id.to_string(), "Arn": "arn:aws:lambda:x"})).collect();
    check("PutTargets", json!({"Rule": "r", "Targets": six}), Some("LimitExceededException"));
    check("RemoveTargets", json!({"Rule": "r", "Ids": ["none"]}), None);
    check("RemoveTargets", json!({"Rule": "none", "Ids": ["a"]}), missing);
    check("RemoveTargets", json!({"Rule": "m", "Ids": ["a"]}), managed);
    check("DeleteRule", json!({"Name": "none"}), None);
    check("DeleteRule", json!({"Name": "r"}), invalid);
    check("DeleteRule", json!({"Name": "m"}), managed);
    check("DescribeRule", json!({"Name": "none"}), missing);
    check("DisableRule", json!({"Name": "m"}), managed);
    check("ListTagsForResource", json!({"ResourceARN": "arn:none"}), missing);
    check("ListRules", json!({"Limit": 101}), invalid);
    check("PutEvents", json!({}), unknown);
}

#[test]
fn put_rule_replaces_every_field_but_targets_and_tags() {
    let mut bus = bus();
    let body = rule(&json!({"Name": "r", "Tags": [{"Key": "new", "Value": "tag"}]}));
    assert!(run(&mut bus, "PutRule", &body, false).is_ok());
    let rule = &bus["r"];
    assert_eq!((rule.state.as_str(), &rule.description), ("ENABLED", &None));
    assert_eq!((rule.targets.len(), rule.tags.len()), (1, 1), "tags are taken at creation only");
}

#[test]
fn the_301st_rule_is_refused_and_lists_come_in_pages_of_100() {
    let mut bus: Bus = (0..299).map(|number| (format!("r-{number:03}"), Rule::scheduled("rate(1 day)"))).collect();
    assert!(run(&mut bus, "PutRule", &rule(&json!({})), false).is_ok());
    let refused = run(&mut bus, "PutRule", &rule(&json!({"Name": "one-more"})), false).err();
    assert_eq!(refused.map(|refusal| refusal.code), Some("LimitExceededException"));
    let mut sizes = Vec::new();
    let mut token = Value::Null;
    loop {
        let page = run(&mut bus, "ListRules", &json!({"NamePrefix": "r-", "NextToken": token}), false).unwrap();
        sizes.push(page["Rules"].as_array().unwrap().len());
        assert!(page["Rules"][0]["Tags"].is_null());
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(sizes, [100, 100, 99]);
}
