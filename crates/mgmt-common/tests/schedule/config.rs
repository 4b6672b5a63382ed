//! The parser: what is accepted, and that every fault is reported at once, where it is.

use mgmt_common::schedule::config::WarmingConfig;
use mgmt_common::schedule::functions::Payload;
use serde_json::{Value, json};

use crate::oracle::{DAYS, Plan};

fn valid() -> Value {
    Plan::office_hours("America/New_York", 5).json()
}

/// The valid config with one value put at a pointer whose parent exists.
fn with(pointer: &str, value: Value) -> Value {
    let mut config = valid();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = if parent.is_empty() { Some(&mut config) } else { config.pointer_mut(parent) };
    parent.unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
    config
}

fn without(name: &str) -> Value {
    let mut config = valid();
    config.as_object_mut().unwrap().remove(name);
    config
}

fn faults(config: &Value) -> Vec<(String, String)> {
    let errors = WarmingConfig::parse(config).err().unwrap_or_default();
    errors.into_iter().map(|error| (error.pointer, error.message)).collect()
}

/// Exactly one fault, at this pointer, whose message holds this text.
fn refuses(config: &Value, pointer: &str, text: &str) {
    let faults = faults(config);
    assert!(faults.len() == 1 && faults[0].0 == pointer && faults[0].1.contains(text), "{pointer} {text}: {faults:?}");
}

fn one_range(start: &str, end: &str) -> Value {
    with("/weekly_schedule/monday/ranges", json!([{"start": start, "end": end}]))
}

fn due_on_monday_and_tuesday(config: &Value) -> Vec<u16> {
    let config = WarmingConfig::parse(config).unwrap();
    (0..2880).filter(|minute| config.local_grid().contains(*minute)).collect()
}

#[test]
fn the_stored_shape_is_read() {
    let mut stored = valid();
    stored["lambda_functions"] =
        json!(["fn", {"name": "fn2", "concurrency": 5, "qualifier": "live", "payload": "native"}]);
    stored["include_modules"] = json!(false);
    let config = WarmingConfig::parse(&stored).unwrap();
    assert!(config.enabled() && config.is_active() && !config.include_modules());
    assert_eq!((config.timezone(), config.interval_minutes()), ("America/New_York", 5));
    let [plain, full] = config.functions() else { panic!("{:?}", config.functions()) };
    assert_eq!((plain.name.as_str(), plain.concurrency, &plain.payload), ("fn", 1, &Payload::Native));
    assert_eq!((full.concurrency, full.qualifier.as_deref()), (5, Some("live")));
}

#[test]
fn functions_and_modules_have_defaults() {
    let config = WarmingConfig::parse(&valid()).unwrap();
    assert!(config.functions().is_empty());
    assert!(config.include_modules());
}

#[test]
fn camel_case_means_the_same_and_both_spellings_are_an_error() {
    let mut camel = valid();
    let object = camel.as_object_mut().unwrap();
    for (snake, name) in [("interval_minutes", "intervalMinutes"), ("weekly_schedule", "weeklySchedule")] {
        let value = object.remove(snake).unwrap();
        object.insert(name.to_owned(), value);
    }
    object.insert("lambdaFunctions".to_owned(), json!(["fn"]));
    object.insert("includeModules".to_owned(), json!(false));
    let config = WarmingConfig::parse(&camel).unwrap();
    assert_eq!(config.local_grid(), WarmingConfig::parse(&valid()).unwrap().local_grid());
    assert!(config.functions().len() == 1 && !config.include_modules());

    refuses(&with("/intervalMinutes", json!(5)), "/intervalMinutes", "same field");
    camel["intervalMinutes"] = json!(0);
    refuses(&camel, "/intervalMinutes", "1 to 1440");
}

#[test]
fn what_is_missing_unknown_or_of_the_wrong_kind_is_named() {
    for name in ["enabled", "timezone", "interval_minutes", "weekly_schedule"] {
        refuses(&without(name), &format!("/{name}"), "required");
    }
    for day in DAYS {
        let mut config = valid();
        config["weekly_schedule"].as_object_mut().unwrap().remove(day);
        refuses(&config, &format!("/weekly_schedule/{day}"), "required");
    }
    refuses(&json!([]), "", "must be an object");
    refuses(&with("/intervall_minutes", json!(5)), "/intervall_minutes", "did you mean `interval_minutes`");
    refuses(&with("/a~1b", json!(5)), "/a~01b", "not a known field");
    refuses(&with("/weekly_schedule/Monday", json!({})), "/weekly_schedule/Monday", "did you mean `monday`");
    // A third of the letters may be wrong.
    for (slip, hint) in [("enabl", "; did you mean `enabled`?"), ("enab", "is not a known field")] {
        let config = with(&format!("/{slip}"), json!(true));
        let faults = faults(&config);
        assert!(faults.len() == 1 && faults[0].1.ends_with(hint), "{faults:?}");
    }
    refuses(&with("/enabled", json!("true")), "/enabled", "must be true or false, not a string");
    refuses(&with("/timezone", json!({})), "/timezone", "must be a string, not an object");
    refuses(&with("/timezone", json!(5)), "/timezone", "string");
    refuses(&with("/include_modules", Value::Null), "/include_modules", "true or false");
    refuses(&with("/weekly_schedule", json!([])), "/weekly_schedule", "object");
    refuses(&with("/weekly_schedule/monday", json!({"ranges": []})), "/weekly_schedule/monday/enabled", "required");
    refuses(&with("/weekly_schedule/monday", json!({"enabled": true})), "/weekly_schedule/monday/ranges", "required");
    refuses(&with("/weekly_schedule/monday/ranges", json!({})), "/weekly_schedule/monday/ranges", "list");
    assert_eq!(faults(&with("/weekly_schedule/monday", json!({"enabled": false}))), []);
    for bad in [json!(0), json!(1441), json!(-5), json!(5.0), json!(1.5), json!("5"), json!(1e30), Value::Null] {
        refuses(&with("/interval_minutes", bad), "/interval_minutes", "1 to 1440");
    }
}

#[test]
fn a_zone_is_one_of_the_bundled_list() {
    refuses(&with("/timezone", json!("america/new_york")), "/timezone", "did you mean \"America/New_York\"?");
    for bad in ["Mars/Phobos", "XYZ3", "UTC+3", ""] {
        refuses(&with("/timezone", json!(bad)), "/timezone", "not the name of an IANA time zone");
    }
    for good in ["UTC", "Etc/UTC", "US/Eastern"] {
        assert_eq!(faults(&with("/timezone", json!(good))), [], "{good}");
    }
}

#[test]
fn times_are_strict_and_24_00_is_only_an_end() {
    let end = "/weekly_schedule/monday/ranges/0/end";
    let start = "/weekly_schedule/monday/ranges/0/start";
    for bad in ["23:59:60", "09:00:00", "9:00", "0900", "", "ab:cd", "٠٩:00", "09:0", "+9:00", " 9:00", "09:00 "] {
        refuses(&one_range("08:00", bad), end, "HH:MM");
        refuses(&one_range(bad, "08:00"), start, "HH:MM");
    }
    for bad in ["24:01", "25:00", "08:60", "99:99"] {
        refuses(&one_range("08:00", bad), end, "no time of day");
    }
    refuses(&one_range("24:00", "08:00"), start, "only as an end");
    refuses(&one_range("08:00", "08:00"), end, "must differ");
    refuses(&one_range("00:00", "00:00"), end, "00:00 to 24:00");
    assert_eq!(faults(&one_range("00:00", "24:00")), []);
}

#[test]
fn ranges_wrap_keep_their_own_phase_and_share_minutes() {
    let check = |interval: u16, monday: Value, expected: &[u16]| {
        let mut config = Plan::same("UTC", interval, (0, 1440), 0).json();
        config["weekly_schedule"]["monday"]["ranges"] = monday.clone();
        assert_eq!(due_on_monday_and_tuesday(&config), expected, "{monday}");
    };
    let range = |start: &str, end: &str| json!({"start": start, "end": end});
    check(30, json!([range("09:00", "10:00")]), &[540, 570]);
    check(30, json!([range("23:45", "00:30")]), &[1425, 1455]);
    check(30, json!([range("23:00", "00:00")]), &[1380, 1410]);
    check(30, json!([range("23:00", "24:00")]), &[1380, 1410]);
    check(30, json!([range("09:00", "09:01")]), &[540]);
    check(30, json!([range("09:00", "10:00"), range("09:15", "10:00")]), &[540, 555, 570, 585]);
    check(30, json!([range("09:00", "10:00"), range("10:00", "10:30"), range("09:00", "10:00")]), &[540, 570, 600]);
    check(1440, json!([range("12:00", "11:59")]), &[720]);
}

#[test]
fn sunday_wraps_into_monday_and_a_disabled_day_is_never_due() {
    let mut config = Plan::same("UTC", 60, (0, 1440), 0).json();
    config["weekly_schedule"]["sunday"]["ranges"] = json!([{"start": "23:00", "end": "02:00"}]);
    assert_eq!(due_on_monday_and_tuesday(&config), [0, 60]);
    config["weekly_schedule"]["sunday"]["enabled"] = json!(false);
    assert!(!WarmingConfig::parse(&config).unwrap().is_active());
    config["weekly_schedule"]["sunday"]["ranges"][0]["end"] = json!("2:00");
    refuses(&config, "/weekly_schedule/sunday/ranges/0/end", "HH:MM");
}

#[test]
fn a_thousand_ranges_a_day_are_fine_and_more_than_the_minutes_of_a_day_are_not() {
    let ranges = |count: usize| {
        let time = |minute: usize| format!("{:02}:{:02}", minute % 1440 / 60, minute % 60);
        let range = |index| json!({"start": time(index), "end": time(index + 1)});
        with("/weekly_schedule/monday/ranges", (0..count).map(range).collect())
    };
    assert_eq!(faults(&ranges(1000)), []);
    assert_eq!(faults(&ranges(1440)), []);
    refuses(&ranges(1441), "/weekly_schedule/monday/ranges", "at most 1440");
}

#[test]
fn functions_are_names_or_objects() {
    let check = |entry: Value| assert_eq!(faults(&with("/lambda_functions", json!([entry]))), [], "{entry}");
    check(json!("My_function-1"));
    check(json!("x".repeat(64)));
    check(json!({"name": "fn", "qualifier": "x".repeat(128)}));
    check(json!({"name": "fn", "qualifier": "x_1-$"}));
    check(json!("arn:aws:lambda:us-east-1:123456789012:function:fn"));
    check(json!("arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:fn"));
    check(json!({"name": "fn", "qualifier": "$LATEST", "concurrency": 100, "payload": "lambda-warmer"}));
    check(json!({"name": "fn", "qualifier": null, "concurrency": null, "payload": null}));
    for payload in [json!("serverless-plugin-warmup"), json!({"warmer": true}), json!([1]), json!(7), json!(false)] {
        check(json!({"name": "fn", "payload": payload}));
    }
}

#[test]
fn a_wrong_function_entry_is_named() {
    let check = |entry: Value, pointer: &str, text: &str| {
        refuses(&with("/lambda_functions", json!([entry])), &format!("/lambda_functions/0{pointer}"), text);
    };
    check(json!(5), "", "function name or an object");
    check(json!(""), "", "function name");
    check(json!("a.b"), "", "function name");
    check(json!("x".repeat(65)), "", "function name");
    check(json!("fn:live"), "", "function name");
    check(json!("arn:aws:lambda:us-east-1:123456789012:function:fn:live"), "", "qualifier");
    check(json!("arn:aws:lambda:us-east-1:1234:function:fn"), "", "function name");
    for arn in [
        "arn:gcp:lambda:us-east-1:123456789012:function:fn",
        "arn:aws.cn:lambda:us-east-1:123456789012:function:fn",
        "arn:awsxxxxxxxxxxxxxxxxxx:lambda:us-east-1:123456789012:function:fn",
        "arn:aws:lambda:us.east:123456789012:function:fn",
        "arn:aws:lambda::123456789012:function:fn",
        "arn:aws:lambda:us-east-1:12345678901a:function:fn",
        "arn:aws:lambda:us-east-1:1234567890123:function:fn",
        "arn:aws:lambda:us-east-1:123456789012:function:f.n",
        "arn:aws:sqs:us-east-1:123456789012:function:fn",
        "arn:aws:lambda:us-east-1:123456789012:layer:fn",
    ] {
        check(json!(arn), "", "function name (1 to 64");
    }
    check(json!({"name": "fn", "qualifier": "x".repeat(129)}), "/qualifier", "version or alias");
    check(json!({"name": "fn", "qualifier": 7}), "/qualifier", "must be a string, not a number");
    check(json!({"name": null}), "/name", "must be a string, not null");
    check(json!(true), "", "not a boolean");
    check(json!([]), "", "not a list");
    check(json!({}), "/name", "required");
    check(json!({"name": "fn", "qualifier": "a b"}), "/qualifier", "version or alias");
    check(json!({"name": "fn", "qualifier": ""}), "/qualifier", "version or alias");
    check(json!({"name": "fn", "concurrency": 0}), "/concurrency", "1 to 100");
    check(json!({"name": "fn", "concurrency": 101}), "/concurrency", "1 to 100");
    check(json!({"name": "fn", "payload": "lambda-warmr"}), "/payload", "no known payload");
    check(json!({"name": "fn", "concurency": 5}), "/concurency", "did you mean `concurrency`");
    refuses(&with("/lambda_functions", json!({})), "/lambda_functions", "list");
}

#[test]
fn the_same_function_twice_is_an_error_unless_the_qualifier_differs() {
    let check = |list: Value, faulty: Option<&str>| match faulty {
        Some(pointer) => refuses(&with("/lambda_functions", list), pointer, "same function"),
        None => assert_eq!(faults(&with("/lambda_functions", list)), []),
    };
    check(json!(["fn", "fn2", "fn"]), Some("/lambda_functions/2"));
    check(json!(["fn", {"name": "fn", "qualifier": "$LATEST"}]), Some("/lambda_functions/1"));
    check(json!(["fn", {"name": "fn", "qualifier": "live"}]), None);
    // Of an entry that is refused, no other is the same.
    let twice = json!([{"name": "fn", "colour": 1}, "fn"]);
    assert_eq!(faults(&with("/lambda_functions", twice)).len(), 1);
}

#[test]
fn every_fault_is_reported_at_once() {
    let config = json!({
        "enabled": "yes",
        "timezone": "Mars/Phobos",
        "intervalMinutes": 0,
        "weekly_schedule": {
            "monday": {"enabled": true, "ranges": [{"start": "9:00", "end": "24:01"}, {"start": "09:00", "stop": "10:00"}]},
            "tuesday": 5, "wednesday": {"enabled": 1, "ranges": []}, "thursday": {}, "friday": {"enabled": false},
            "saturday": {"enabled": false, "ranges": [], "note": "off"},
        },
        "lambda_functions": ["a b", {"name": "ok", "concurrency": 0}],
        "colour": "red",
    });
    let mut pointers: Vec<String> = faults(&config).into_iter().map(|(pointer, _)| pointer).collect();
    pointers.sort_unstable();
    let expected = [
        "/colour",
        "/enabled",
        "/intervalMinutes",
        "/lambda_functions/0",
        "/lambda_functions/1/concurrency",
        "/timezone",
        "/weekly_schedule/monday/ranges/0/end",
        "/weekly_schedule/monday/ranges/0/start",
        "/weekly_schedule/monday/ranges/1/end",
        "/weekly_schedule/monday/ranges/1/stop",
        "/weekly_schedule/saturday/note",
        "/weekly_schedule/sunday",
        "/weekly_schedule/thursday/enabled",
        "/weekly_schedule/tuesday",
        "/weekly_schedule/wednesday/enabled",
    ];
    assert_eq!(pointers, expected);
}
