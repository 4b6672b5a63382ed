//! The gate of a platform's own functions: what it lets through, what it reads, and what becomes of trouble.
#![expect(clippy::unwrap_used, reason = "the lint spares test functions, but not the helpers they share")]

mod ages;
mod allocations;
mod bed;
mod events;
mod hanging;
mod http;
mod pings;
mod trouble;
