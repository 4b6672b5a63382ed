//! Files that are written down must equal what the code says.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

fn document() -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_mgmt")).arg("openapi").output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn project_file(name: &str) -> String {
    let path = format!("{}/../../{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn files_of(folder: &str) -> Vec<String> {
    let path = format!("{}/../../{folder}", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(path).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A function is a crate whose entry point serves events.
fn functions() -> BTreeSet<String> {
    let serves = |name: &String| {
        let entry = format!("{}/../../crates/{name}/src/main.rs", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(entry).is_ok_and(|text| text.contains("serve::run("))
    };
    files_of("crates").into_iter().filter(serves).collect()
}

#[test]
fn the_manifest_names_every_route_table_and_function() {
    let manifest: Value = serde_json::from_str(&project_file("module.json")).unwrap();
    let listed = |kind: &str| -> BTreeSet<String> {
        let items = manifest["provides"][kind].as_array().unwrap();
        items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    let document: Value = serde_json::from_str(&document()).unwrap();
    let routes = document["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    assert_eq!(listed("routes"), routes.collect());

    let schema: String =
        files_of("db/schema").into_iter().map(|file| project_file(&format!("db/schema/{file}"))).collect();
    let tables = schema.lines().filter_map(|line| {
        line.replace("create unlogged", "create").strip_prefix("create table if not exists public.").map(str::to_owned)
    });
    assert_eq!(listed("tables"), tables.map(|line| line.trim_end_matches(" (").to_owned()).collect());
    assert_eq!(listed("functions"), functions());
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
}

/// What scripts/package prints, with a folder of tools in which `cargo` only prints what it is asked for.
fn package(arguments: &[&str]) -> Vec<String> {
    let tools = format!("{}/package-tools", env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(format!("{tools}/bin")).unwrap();
    for program in ["cargo", "cargo-lambda"] {
        let path = format!("{tools}/bin/{program}");
        std::fs::write(&path, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let script = format!("{}/../../scripts/package", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(script).args(arguments).env("PACKAGE_TOOLS", tools).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn the_package_script_ships_every_function() {
    assert_eq!(package(&["--list"]).into_iter().collect::<BTreeSet<_>>(), functions());
    for arguments in [&[][..], &["--x86-64"]] {
        let asked = package(arguments);
        assert_eq!(asked[..4], ["lambda", "build", "--profile", "ship"]);
        let built = asked.iter().zip(&asked[1..]).filter(|(option, _)| *option == "--package");
        assert_eq!(built.map(|(_, name)| name.clone()).collect::<BTreeSet<_>>(), functions());
    }
}
