//! Prints the API document: `cargo run -p mgmt-openapi > openapi.json` writes it down.

use std::io::Write as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(std::io::stdout().write_all(mgmt_openapi::text()?.as_bytes())?)
}
