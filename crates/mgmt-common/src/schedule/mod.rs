//! The weekly local-time schedule: parse it, ask what is due, compile it to EventBridge rules. Pure, no I/O.

pub mod cron;
pub mod grid;
pub mod name;
pub mod zone;
