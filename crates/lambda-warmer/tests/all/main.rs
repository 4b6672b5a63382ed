//! The warmer on a real Postgres and the strict Lambda fake, from the scheduled event to the history row.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

mod bed;
mod database_down;
mod expiry;
mod limits;
mod modules;
mod packages;
mod suspension;
mod ticks;
