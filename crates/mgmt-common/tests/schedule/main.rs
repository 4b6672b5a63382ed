//! The schedule as a whole, checked against a second, naive implementation.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod config;
mod due;
mod oracle;
mod preview;
mod rules;
mod sweep;
