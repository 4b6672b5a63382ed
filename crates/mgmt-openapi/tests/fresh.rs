//! The document that is written down must equal what the routers say.

#[test]
fn openapi_json_is_what_the_routers_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.json");
    let written = std::fs::read_to_string(path).unwrap();
    assert!(
        written == mgmt_openapi::text().unwrap(),
        "openapi.json is old; run: cargo run -p mgmt-openapi > openapi.json"
    );
}
