//! `mgmt warming`, run as a person or a script runs it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn config() -> Value {
    let day = |ranges: Value| json!({"enabled": true, "ranges": ranges});
    let office = || day(json!([{"start": "09:00", "end": "17:00"}]));
    json!({
        "enabled": true, "timezone": "America/New_York", "interval_minutes": 60,
        "weekly_schedule": {
            "monday": office(), "tuesday": office(), "wednesday": office(), "thursday": office(), "friday": office(),
            "saturday": day(json!([])), "sunday": day(json!([])),
        },
        "lambda_functions": ["fn"],
    })
}

fn mgmt(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mgmt"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that fails early does not read its input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}

const COMPILE: [&str; 6] = ["warming", "compile", "--config", "-", "--at", "2026-11-01T00:00:00Z"];
const DUE: [&str; 8] = ["warming", "due", "--config", "-", "--from", "2026-11-02T00:00:00Z", "--days", "1"];

#[test]
fn compile_prints_rules_as_json() {
    let output =
        mgmt(&[&COMPILE[..], &["--project", "shop", "--env", "prod", "--json"]].concat(), &config().to_string());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let rules = &json_of(&output.stdout)["rules"];
    assert_eq!(rules.as_array().unwrap().len(), 1);
    assert_eq!(rules[0]["expression"], "cron(0 13-21 ? * MON-FRI *)");
    assert!(rules[0]["name"].as_str().unwrap().starts_with("shop.prod.warm."));
}

#[test]
fn due_prints_instants_as_json() {
    let output = mgmt(&[&DUE[..], &["--json"]].concat(), &config().to_string());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let expected: Vec<String> = (14..22).map(|hour| format!("2026-11-02T{hour}:00:00Z")).collect();
    assert_eq!(json_of(&output.stdout), json!({ "due": expected }));
}

#[test]
fn a_file_is_read_and_people_get_tables() {
    let path = std::env::temp_dir().join(format!("mgmt-warming-{}.json", std::process::id()));
    std::fs::write(&path, config().to_string()).unwrap();
    let file = path.to_str().unwrap();
    let compiled = mgmt(&["warming", "compile", "--config", file], "");
    let due = mgmt(&["warming", "due", "--config", file, "--from", "2026-11-02T00:00:00Z", "--days", "1"], "");
    std::fs::remove_file(&path).unwrap();
    let compiled = String::from_utf8(compiled.stdout).unwrap();
    assert!(compiled.contains("cron(0 13-21 ? * MON-FRI *)"), "{compiled}");
    assert!(compiled.contains("45 ticks a week for 40 due minutes."), "{compiled}");
    let due = String::from_utf8(due.stdout).unwrap();
    assert!(due.starts_with("2026-11-02T14:00:00Z  2026-11-02T09:00:00-05:00\n"), "{due}");
}

#[test]
fn an_invalid_schedule_fails_with_every_fault() {
    let mut invalid = config();
    invalid["timezone"] = json!("america/new_york");
    invalid["weekly_schedule"]["monday"]["ranges"][0]["end"] = json!("24:01");
    for arguments in [&COMPILE[..], &DUE[..]] {
        let human = mgmt(arguments, &invalid.to_string());
        assert_eq!(human.status.code(), Some(1));
        let text = String::from_utf8(human.stderr).unwrap();
        assert!(text.contains("/timezone: ") && text.contains("/weekly_schedule/monday/ranges/0/end: "), "{text}");

        let machine = mgmt(&[arguments, &["--json"]].concat(), &invalid.to_string());
        assert_eq!((machine.status.code(), machine.stdout.len()), (Some(1), 0));
        let errors = &json_of(&machine.stderr)["errors"];
        assert_eq!(errors.as_array().unwrap().len(), 2, "{errors}");
        assert_eq!(errors[0]["pointer"], "/timezone");
    }
}

#[test]
fn what_cannot_be_read_fails_and_wrong_usage_is_2() {
    let check = |arguments: &[&str], input: &str, code: i32| {
        assert_eq!(mgmt(arguments, input).status.code(), Some(code), "{arguments:?}");
    };
    let config = config().to_string();
    check(&COMPILE, "{", 1);
    check(&COMPILE, "", 1);
    check(&["warming", "compile", "--config", "no/such/file.json"], "", 1);
    check(&[&COMPILE[..], &["--project", "No"]].concat(), &config, 1);
    check(&[], "", 2);
    check(&["warming"], "", 2);
    check(&["warming", "compile"], "", 2);
    check(&["warming", "compile", "--config", "-", "--at", "yesterday"], &config, 2);
    check(&["warming", "due", "--config", "-", "--from", "2026-11-02T00:00:00Z"], &config, 2);
    check(&["warming", "due", "--config", "-", "--from", "2026-11-02T00:00:00Z", "--days", "0"], &config, 2);
}
