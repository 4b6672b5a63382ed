//! `mgmt migrate`, run as a person or a deployment runs it, on a real Postgres. Faults, row 40 as far as it is built.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

mod alone;
mod bed;
mod existing;
mod psql;
mod repeat;
