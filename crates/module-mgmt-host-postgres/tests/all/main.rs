//! A host's gate and usage record on a real Postgres.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

mod clock;
mod gate;
mod usage;
