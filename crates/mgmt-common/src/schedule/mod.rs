//! The weekly local-time schedule: parse it, ask what is due, compile it to EventBridge rules. Pure, no I/O.

pub mod compile;
pub mod config;
pub mod cost;
mod cover;
pub mod cron;
pub mod due;
mod fields;
pub mod functions;
pub mod grid;
pub mod heartbeat;
pub mod name;
pub mod preview;
pub mod stored;
pub mod warnings;
pub mod week;
pub mod zone;
