use serde_json::json;

use super::*;

/// `count` definitions, each made of the next one by `link`; the last one takes anything.
fn chain(count: usize, link: impl Fn(Value) -> Value) -> Value {
    let mut definitions: Map<String, Value> =
        (0..count).map(|n| (format!("d{n}"), link(json!({"$ref": format!("#/$defs/d{}", n + 1)})))).collect();
    definitions.insert(format!("d{count}"), json!({}));
    json!({"$ref": "#/$defs/d0", "$defs": definitions})
}

#[track_caller]
fn refused(schema: &Value, word: &str) {
    let message = of_schema(schema).unwrap_err().message;
    assert!(message.contains(word), "{message:?} lacks {word:?}");
}

#[test]
fn what_doubles_with_every_line_is_refused_whatever_doubles_it() {
    for link in [
        |next: Value| json!({"anyOf": [next, next]}),
        |next: Value| json!({"allOf": [next, {"not": next}]}),
        |next: Value| json!({"oneOf": [next], "if": next, "then": next}),
        |next: Value| json!({"properties": {"a": next}, "patternProperties": {"a": next}}),
        |next: Value| json!({"items": next, "contains": next}),
        |next: Value| json!({"additionalProperties": next, "dependentSchemas": {"a": next}}),
        |next: Value| json!({"allOf": [next], "unevaluatedProperties": false}),
        |next: Value| json!({"prefixItems": [next, next]}),
        |next: Value| json!({"items": [next, next]}),
    ] {
        refused(&chain(22, link), "more than 10000 steps");
        of_schema(&chain(4, link)).unwrap();
    }
}

#[test]
fn a_long_chain_is_no_tree() {
    of_schema(&chain(60, |next| json!({"allOf": [next]}))).unwrap();
    // It would be gone on the stack.
    refused(&chain(2_000, |next| json!({"allOf": [next]})), "deeper than 128");
    let wide: Map<String, Value> = (0..3_000).map(|n| (format!("p{n}"), json!({"type": "string"}))).collect();
    of_schema(&json!({"properties": wide})).unwrap();
}

#[test]
fn a_schema_may_ask_for_itself_for_parts_of_the_value_only() {
    of_schema(&json!({"properties": {"children": {"type": "array", "items": {"$ref": "#"}}}})).unwrap();
    of_schema(&json!({"$anchor": "node", "properties": {"left": {"$ref": "#node"}, "right": {"$ref": "#node"}}}))
        .unwrap();
    refused(&json!({"$ref": "#"}), "without end");
    refused(&json!({"allOf": [{"anyOf": [{"$ref": "#/allOf/0"}]}]}), "without end");
    refused(&json!({"$id": "https://example.com/a", "not": {"$ref": "https://example.com/a"}}), "without end");
}

/// What a schema may cost for some values only, is counted with the value.
#[test]
fn a_config_that_would_take_very_long_is_refused() {
    // Each level asks for the next one twice, by two keywords that meet the same part.
    let schema = json!({"properties": {"a": {"$ref": "#"}}, "additionalProperties": {"$ref": "#"}, "patternProperties": {"a": {"$ref": "#"}}});
    of_schema(&schema).unwrap();
    let nested = |depth: usize| (0..depth).fold(json!({}), |inner, _| json!({ "a": inner }));
    of_config(&schema, &nested(5), "/config").unwrap();
    let fault = of_config(&schema, &nested(60), "/config").unwrap_err();
    assert_eq!(fault.pointer, "/config");
    assert!(fault.message.contains("more than 100000 steps"), "{}", fault.message);
    // A chain of schemas at each level of the value.
    let mut long = chain(60, |next| json!({"allOf": [next]}));
    long["$defs"]["d60"] = json!({"properties": {"a": {"$ref": "#"}}});
    of_schema(&long).unwrap();
    assert!(of_config(&long, &nested(60), "/config").unwrap_err().message.contains("deeper than 500"));
    let list = json!({"l": vec![1; 20_000]});
    of_config(&json!({"properties": {"l": {"items": {"type": "integer"}}}}), &list, "/config").unwrap();
}

#[test]
fn patterns_are_counted() {
    let many: Map<String, Value> = (0..201).map(|n| (format!("p{n}"), json!({"pattern": "a"}))).collect();
    refused(&json!({"properties": many}), "201 patterns");
}
