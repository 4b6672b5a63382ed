//! The lambda-config function as API Gateway and EventBridge see it: every test sends events and reads answers. One binary;
//! `routes` mirrors the source, `warming` follows a schedule from a save to the bus, `faults` holds the rows of docs/faults.md.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

mod bed;
mod faults;
mod routes;
mod values;
mod warming;
