//! Strict fakes of the AWS APIs, a Runtime API harness and throw-away databases: for tests and benchmarks only.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

pub mod database;
