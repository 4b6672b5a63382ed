//! Links the function without position independence: relocating its tables is the larger part of a start (docs/decisions.md).

#[expect(clippy::disallowed_methods, reason = "cargo tells build scripts about the target in variables")]
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
