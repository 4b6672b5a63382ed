//! `mgmt doctor` and the look that ends `mgmt migrate`, on a real Postgres. Faults, row 48.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

mod alone;
mod bed;
mod catalog;
mod clean;
mod objects;
mod rights;
mod rows;
mod usage;
